/**
 * Options that may be repeated. What the command line gives replaces a default or a setting, and is not added
 * to it.
 */

/**
 * The parser of such an option.
 * @param parse reads one value
 */
export function collected<T>(parse: (text: string) => T): (text: string, before: readonly T[] | undefined) => T[] {
  const made = new WeakSet<readonly T[]>();
  return (text, before) => {
    const list = [...(before && made.has(before) ? before : []), parse(text)];
    made.add(list);
    return list;
  };
}
