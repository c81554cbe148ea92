// Sets the chosen theme before anything is drawn, so that nothing flashes. "auto" follows the system.
(() => {
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const choice = root.dataset.theme;
    root.toggleAttribute('data-dark', choice === 'dark' || (choice === 'auto' && system.matches));
  };
  root.dataset.theme = 'auto';
  try {
    root.dataset.theme = localStorage.getItem('vade.theme') || 'auto';
  } catch {
    // Storage may be forbidden; the system's theme does then.
  }
  apply();
  system.addEventListener('change', apply);
  document.addEventListener('vade-theme', apply);
})();
