@echo off
rem Starts skein-relay from this checkout with the Node.js that the build used.
setlocal
set "root=%~dp0.."
set "node="
if exist "%root%\apps\relay\bundle\main.js" if exist "%root%\.toolchain\node-path" set /p node=<"%root%\.toolchain\node-path"
if not defined node (
  echo skein-relay: not set up yet; run npm start once in the folder above this one 1>&2
  exit /b 1
)
"%node%" "%root%\apps\relay\bundle\main.js" %*
exit /b %errorlevel%
