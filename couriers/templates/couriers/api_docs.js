{% include "drf_spectacular/swagger_ui.js" %}
// Swagger UI is dark by a class alone.
const isDark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", isDark.matches);
isDark.addEventListener("change", follow);
follow();
