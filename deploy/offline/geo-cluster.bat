@echo off
rem The command line of what is installed in this folder: geo-cluster.bat --help
setlocal
if not exist "%~dp0venv\complete" goto missing
set "PYTHONPATH="
set "PYTHONHOME="
set "PYTHONUTF8=1"
rem modules of the folder one stands in are no part of this
set "PYTHONSAFEPATH=1"
"%~dp0venv\Scripts\python.exe" -m geo_cluster.cli %*
exit /b %ERRORLEVEL%

:missing
echo Not installed, or not to the end: run install.bat first. 1>&2
exit /b 2
