@echo off
rem Runs Verde from its checkout on Windows, as the script `verde` does elsewhere. It needs Node 24 or newer.
where node >nul 2>nul || (echo verde: Node is missing; install Node 24 or newer and start again 1>&2 & exit /b 3)
node "%~dp0scripts\launch.js" %*
