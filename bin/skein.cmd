@echo off
rem Starts skein from this checkout with the Node.js that the build used.
setlocal
set "root=%~dp0.."
set "node="
if exist "%root%\apps\cli\bundle\main.js" if exist "%root%\.toolchain\node-path" set /p node=<"%root%\.toolchain\node-path"
if not defined node (
  echo skein: not set up yet; run npm start once in the folder above this one 1>&2
  exit /b 1
)
"%node%" "%root%\apps\cli\bundle\main.js" %*
exit /b %errorlevel%
