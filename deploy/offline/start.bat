@echo off
rem Starts the app at http://localhost:8501 and opens the browser. Options go along: start.bat --port 8502
rem Close this window, or press Ctrl+C in it, to stop.
setlocal
call "%~dp0geo-cluster.bat" app %*
set "CODE=%ERRORLEVEL%"
if not "%CODE%"=="0" if not defined GEO_CLUSTER_NO_PAUSE pause
exit /b %CODE%
