// Text of a model as formatted text, without trusting it: raw HTML stays text, images become their
// caption (nothing is fetched), links must be http or https, and DOMPurify has the last word.
// Without marked or DOMPurify the text is shown as it is.
import {h} from './dom.js';

const kTags = ['p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'ul', 'ol', 'li', 'blockquote', 'hr',
               'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'a'];

// DOMPurify 2.4.1+dfsg+~2.4.0-2+deb12u1 reads a global of this name that its patch forgot to declare
// (a leftover beside the real check of each node's depth); without one it throws at every call.
globalThis.shadowNode ??= {__depth: 0};

function escape(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const options = () => ({
  gfm: true, breaks: true, headerIds: false, mangle: false,
  renderer: Object.assign(new globalThis.marked.Renderer(), {
    html: (text) => escape(text),
    image: (href, title, text) => escape(unescapeEntities(text || title || '')),
    link: (href, title, text) => (isWebLink(href) ? `<a href="${escape(unescapeEntities(href))}">${text}</a>` : text),
  }),
  tokenizer: Object.assign(new globalThis.marked.Tokenizer(), {
    def: () => undefined,  // "[1]: ..." must not turn our citation marks into links
  }),
});

function unescapeEntities(text) {
  const names = {amp: '&', lt: '<', gt: '>', quot: '"'};
  return String(text).replace(/&(amp|lt|gt|quot|#39);/g, (all, name) => names[name] ?? "'");
}

function isWebLink(href) {
  try {
    return ['http:', 'https:'].includes(new URL(unescapeEntities(href)).protocol);
  } catch {
    return false;
  }
}

/// Formats text into a document fragment.
export function formatText(text) {
  const {marked, DOMPurify} = globalThis;
  if (marked && DOMPurify?.isSupported) {
    try {
      return formatted(text, marked, DOMPurify);
    } catch (error) {
      console.warn('shown unformatted:', error);
    }
  }
  const plain = document.createDocumentFragment();
  plain.append(h('p', {class: 'plain', text}));
  return plain;
}

function formatted(text, marked, DOMPurify) {
  const fragment = DOMPurify.sanitize(marked.parse(text, options()), {
    ALLOWED_TAGS: kTags, ALLOWED_ATTR: ['href', 'align', 'start'], ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false, RETURN_DOM_FRAGMENT: true});
  for (const link of fragment.querySelectorAll('a')) {
    if (!isWebLink(link.getAttribute('href') || '')) link.replaceWith(...link.childNodes);
    else {
      link.rel = 'noopener noreferrer nofollow';
      link.target = '_blank';
    }
  }
  for (const table of fragment.querySelectorAll('table')) {
    const frame = h('div', {class: 'scroll', tabindex: 0});
    table.replaceWith(frame);
    frame.append(table);
  }
  return fragment;
}
