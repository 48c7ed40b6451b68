@echo off
rem Starts skein from this checkout with the Node.js that the build used.
setlocal
set "root=%~dp0.."
if not exist "%root%\.toolchain\node-path" goto missing
if not exist "%root%\apps\cli\dist\main.js" goto missing
set /p node=<"%root%\.toolchain\node-path"
"%node%" "%root%\apps\cli\dist\main.js" %*
exit /b %errorlevel%
:missing
echo skein: not set up yet; run npm start once in %root% 1>&2
exit /b 1
