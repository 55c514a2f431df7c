@echo off
rem Installs geo_cluster into this folder. Needs no network and no administrator. See INSTALL.txt.
rem With several Pythons: set PYTHON=C:\path\python.exe, then run this.
rem Only ASCII in here: cmd reads this file in the code page of the machine. install.py speaks Chinese.
setlocal
set "PYTHONPATH="
set "PYTHONHOME="
set "PYTHONUTF8=1"
set "WHICH="
if defined PYTHON goto named

set "PYTHON=py"
set "WHICH=-3.13"
call :fits
if not errorlevel 1 goto install
set "WHICH=-3.12"
call :fits
if not errorlevel 1 goto install
set "WHICH=-3.11"
call :fits
if not errorlevel 1 goto install
set "PYTHON=python"
set "WHICH="

:named
call :fits
if not errorlevel 1 goto install
chcp 65001 >nul
type "%~dp0no-python.txt"
"%PYTHON%" "%~dp0install.py" --fits
set "CODE=2"
goto end

:install
"%PYTHON%" %WHICH% "%~dp0install.py"
set "CODE=%ERRORLEVEL%"

:end
if not defined GEO_CLUSTER_NO_PAUSE pause
exit /b %CODE%

:fits
"%PYTHON%" %WHICH% "%~dp0install.py" --fits >nul 2>nul
exit /b %ERRORLEVEL%
