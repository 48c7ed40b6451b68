; Installer for one user of Windows: no administrator is asked. VERSION, STAGED, NODE and OUTPUT come from installer.mjs.
Unicode true
Name "Skein"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\Skein"
RequestExecutionLevel user
SetCompressor /SOLID lzma
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Skein"
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Section
  SetOutPath "$INSTDIR"
  File /r "${STAGED}/*"
  File "/oname=node.exe" "${NODE}"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  ; The console of Node.js is minimised: it ends with the window.
  CreateShortCut "$SMPROGRAMS\Skein.lnk" "$INSTDIR\node.exe" '"$INSTDIR\bundle\main.js"' "" 0 SW_SHOWMINIMIZED
  WriteRegStr HKCU "Software\Classes\skein" "" "URL:Skein"
  WriteRegStr HKCU "Software\Classes\skein" "URL Protocol" ""
  WriteRegStr HKCU "Software\Classes\skein\shell\open\command" "" '"$INSTDIR\node.exe" "$INSTDIR\bundle\main.js" "%1"'
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Skein"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
SectionEnd

; What the user wrote and received lies elsewhere, and stays.
Section "Uninstall"
  Delete "$SMPROGRAMS\Skein.lnk"
  RMDir /r "$INSTDIR"
  DeleteRegKey HKCU "Software\Classes\skein"
  DeleteRegKey HKCU "${UNINSTALL}"
SectionEnd
