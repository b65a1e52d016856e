// The theme button and the language list. Every page works without this file.
(() => {
  const root = document.documentElement, kept = "theme";
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  let told = null;
  try { told = localStorage.getItem(kept) } catch { /* the reader lets nothing be kept */ }
  if (told === "dark" || told === "light") root.dataset.theme = told;
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const tell = () => { button.textContent = isDark() ? button.dataset.light : button.dataset.dark };
    tell();
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem(kept, root.dataset.theme) } catch { /* holds for this page then */ }
      tell();
    });
    const list = document.querySelector(".lang");
    document.addEventListener("keydown", (e) => { if (e.key === "Escape" && list?.open) { list.open = false; list.firstElementChild.focus() } });
  });
})();
