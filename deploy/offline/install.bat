@echo off
rem Installs geo_cluster into this folder. Needs no network and no administrator. See INSTALL.txt.
rem Only ASCII in here: cmd reads this file in the code page of the machine. install.py speaks Chinese.
setlocal
set "PYTHONPATH="
set "PYTHONHOME="
set "PYTHONUTF8=1"

if defined PYTHON goto named
py -3.13 "%~dp0install.py" --fits >nul 2>nul && set "PYTHON=py" && set "WHICH=-3.13" && goto install
py -3.12 "%~dp0install.py" --fits >nul 2>nul && set "PYTHON=py" && set "WHICH=-3.12" && goto install
py -3.11 "%~dp0install.py" --fits >nul 2>nul && set "PYTHON=py" && set "WHICH=-3.11" && goto install
set "PYTHON=python"
:named
set "WHICH="
"%PYTHON%" "%~dp0install.py" --fits >nul 2>nul && goto install

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
