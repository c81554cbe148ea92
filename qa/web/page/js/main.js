// The frame of the page: views by the fragment of the address, language, theme, keyboard.
import {fill, h, iconButton, icon} from './dom.js';
import {language, setLanguage, t} from './strings.js';
import {AskView} from './ask.js';
import {LibraryView} from './library.js';
import {ModelsView} from './models.js';
import {DashboardView} from './dashboard.js';
import {EvaluationView} from './evaluation.js';
import {Reader} from './reader.js';

const kThemes = {auto: 'auto', light: 'sun', dark: 'moon'};
const main = document.getElementById('main');
const workspace = document.getElementById('workspace');
const reader = new Reader(document.getElementById('reader'), workspace);
const kinds = {ask: AskView, library: LibraryView, models: ModelsView, dashboard: DashboardView, evaluation: EvaluationView};
const views = new Map();
let current = null;

function viewName() {
  const name = location.hash.replace(/^#\/?/, '').split('?')[0];
  return kinds[name] ? name : 'ask';
}

function showView() {
  const name = viewName();
  for (const link of document.querySelectorAll('.nav a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (current === name) return;
  if (current) views.get(current).hide();
  reader.close();
  if (!views.has(name)) views.set(name, new kinds[name](reader));
  const view = views.get(name);
  fill(main, view.element);
  main.dataset.view = name;
  document.title = name === 'ask' ? 'Vademecum' : `${t(`nav.${name}`)} – Vademecum`;
  current = name;
  main.scrollTop = 0;
  view.show();
}

function themeButton() {
  const names = Object.keys(kThemes);
  const now = document.documentElement.dataset.theme || 'auto';
  const button = iconButton(kThemes[now], t('theme', {name: t(`theme.${now}`)}), () => {
    const next = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem('vade.theme', next);
    } catch {
      // Lasts as long as the page then.
    }
    fill(button, icon(kThemes[next]));
    button.title = t('theme', {name: t(`theme.${next}`)});
    button.setAttribute('aria-label', button.title);
    document.dispatchEvent(new Event('vade-theme'));
  });
  return button;
}

function drawFrame() {
  document.documentElement.lang = language();
  document.getElementById('skip').textContent = t('skip');
  const logo = h('img', {src: '/icon.svg', alt: '', width: 26, height: 26});
  fill(document.getElementById('top'),
    h('a', {class: 'brand', href: '#/ask'}, logo, h('span', {text: 'Vademecum'})),
    h('nav', {class: 'nav', 'aria-label': t('nav')},
      Object.keys(kinds).map((name) => h('a', {href: `#/${name}`, data: {view: name}, text: t(`nav.${name}`)}))),
    h('div', {class: 'top-tools'},
      h('button', {type: 'button', class: 'icon-button language', lang: language() === 'ko' ? 'en' : 'ko',
        'aria-label': language() === 'ko' ? 'English' : '한국어', text: language() === 'ko' ? 'EN' : '한', on: {click: switchLanguage}}),
      themeButton()));
}

/// Everything is drawn anew: no text is kept in two languages.
function switchLanguage() {
  setLanguage(language() === 'ko' ? 'en' : 'ko');
  if (current) views.get(current).hide();
  reader.close();
  views.clear();
  current = null;
  drawFrame();
  showView();
  document.querySelector('.language').focus();
}

document.addEventListener('keydown', (event) => {
  const writing = event.target.closest?.('input, textarea, select, [contenteditable]');
  if (event.key === '/' && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    if (viewName() !== 'ask') location.hash = '#/ask';
    showView();
    views.get('ask').focus();
  }
  if ((event.key === 'ArrowRight' || event.key === 'ArrowLeft') && event.altKey === false && reader.isOpen &&
      !writing && !event.target.classList?.contains('cite')) {
    if (reader.step(event.key === 'ArrowRight' ? 1 : -1)) event.preventDefault();
  }
});
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();  // the fragment is the view's
  main.focus();
});
addEventListener('hashchange', showView);
drawFrame();
showView();
