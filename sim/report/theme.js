// Before anything is painted: the theme that the reader chose the last time.
try {
  const chosen = localStorage.getItem("telex-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  else if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.dataset.theme = "dark";
} catch { /* pages from a file may have no storage: then the system's theme holds */ }
