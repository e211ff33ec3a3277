/** The command that has started this process, to start others of the same program. */
export const ownCommand = (): string[] => [process.execPath, ...process.execArgv, process.argv[1]];
