// Draws a finished answer: its text with citation buttons, unsupported sentences marked, its sources.
import {h} from './dom.js';
import {formatText} from './markdown.js';
import {pageName} from './format.js';
import {t} from './strings.js';

// Marks around an unsupported sentence while it goes through the formatter; cut from the text itself.
const kOpen = '\ue000';
const kClose = '\ue001';

/// The button of a citation. `open(citation, button)` shows the document.
export function citationButton(citation, open) {
  const place = [citation.title || citation.path, pageName(citation.page)].filter(Boolean).join(', ');
  const button = h('button', {
    type: 'button', class: `cite ${citation.match === 'fuzzy' ? 'fuzzy' : ''}`, title: place,
    'aria-label': t('cite.name', {n: citation.number, place}), text: String(citation.number),
    data: {citation: citation.number}});
  button.addEventListener('click', () => open(citation, button));
  return button;
}

function unsupportedBadge() {
  return h('span', {class: 'badge-unsupported', title: t('answer.unsupportedTip'), text: t('answer.unsupported')});
}

/// Replaces "[n]" and "[?]" in the text nodes under root by buttons and badges, and wraps what stands
/// between the marks.
function decorate(root, citations, open) {
  const byNumber = new Map(citations.map((citation) => [citation.number, citation]));
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  let inside = false;
  for (const node of nodes) {
    if (node.parentElement?.closest('code, pre')) {
      node.textContent = node.textContent.replaceAll(kOpen, '').replaceAll(kClose, '');
      continue;
    }
    const parts = [];
    for (const part of node.textContent.split(/(\s*\[(?:\d{1,3}|\?)\]|\ue000|\ue001)/u)) {
      const mark = part.trim();
      const citation = byNumber.get(Number(mark.slice(1, -1)));
      if (part === kOpen || part === kClose) inside = part === kOpen;
      else if (/^\[\d+\]$/.test(mark) && citation) parts.push('\u202f', citationButton(citation, open));
      else if (mark === '[?]') parts.push(' ', unsupportedBadge());
      else if (part) parts.push(inside ? h('span', {class: 'unsupported', text: part}) : part);
    }
    node.replaceWith(...parts);
  }
  return root;
}

/// The answer of a model: formatted text. Sentences are found in it again in their order.
function modelText(answer, open) {
  let text = answer.answer.replace(/[\ue000\ue001]/gu, '');
  let cursor = 0;
  for (const sentence of answer.sentences || []) {
    const words = sentence.text.trim();
    const at = words ? text.indexOf(words, cursor) : -1;
    if (at < 0) continue;
    cursor = at + words.length;
    if (sentence.support !== 'none') continue;
    const lead = words.match(/^(?:[-*+]\s+|\d+[.)]\s+|#{1,6}\s+)?/)[0].length;
    text = `${text.slice(0, at + lead)}${kOpen}${words.slice(lead)}${kClose}${text.slice(cursor)}`;
    cursor += 2;
  }
  return decorate(h('div', {class: 'prose'}, formatText(text)), answer.citations, open);
}

/// A row of a table as the composer words it, "Label: value; Label: value". Rows with the same labels
/// share one table.
function addRow(group, text, mark) {
  const cells = text.split(/;\s+|\s\|\s/u).map((cell) => {
    const colon = cell.indexOf(': ');
    return colon < 0 ? ['', cell] : [cell.slice(0, colon), cell.slice(colon + 2)];
  });
  const labels = JSON.stringify(cells.map(([label]) => label));
  let body = group.lastElementChild?.dataset.labels === labels ? group.querySelector(':scope > :last-child tbody') : null;
  if (!body) {
    body = h('tbody');
    group.append(h('div', {class: 'scroll', data: {labels}}, h('table', {class: 'table'},
      cells.some(([label]) => label) ? h('thead', {}, h('tr', {}, cells.map(([label]) => h('th', {scope: 'col', text: label})),
        h('th', {}, h('span', {class: 'visually-hidden', text: t('answer.sources')})))) : null, body)));
  }
  body.append(h('tr', {}, cells.map(([, value]) => h('td', {text: value})), h('td', {class: 'num'}, mark)));
}

/// An answer put together from the documents: their words as they stand, never taken for markup.
function composedText(answer, open) {
  const byNumber = new Map(answer.citations.map((citation) => [citation.number, citation]));
  const body = h('div', {class: 'prose'});
  let group = null;
  const sentences = answer.sentences;
  sentences.forEach((sentence, i) => {
    const last = i + 1 === sentences.length || sentences[i + 1].citation !== sentence.citation ||
                 sentences[i + 1].kind !== sentence.kind || sentence.kind === 'sentence';
    const citation = byNumber.get(sentence.citation);
    const mark = last && citation ? ['\u202f', citationButton(citation, open)] : [];
    const kind = sentence.kind === 'lead-in' ? 'sentence' : sentence.kind;
    if (!group || group.kind !== kind) {
      group = {kind, node: h({sentence: 'p', step: 'ul'}[kind] || 'div', {class: {step: 'steps', 'table row': 'rows'}[kind] || ''})};
      body.append(group.node);
    }
    if (kind === 'sentence') group.node.append(sentence.text, ...mark, ' ');
    else if (kind === 'step') {
      const [, number, words] = sentence.text.match(/^\s*(\d+[.)]|[-•*])?\s*([\s\S]*)$/u);
      group.node.append(h('li', {}, h('span', {class: 'step-number', text: (number || '•').replace(/[.)]$/, '')}),
        h('span', {}, words, mark)));
    } else addRow(group.node, sentence.text, mark);
  });
  return body;
}

/// The text of an answer, whichever way it came about.
export function answerText(answer, open) {
  const composed = answer.sentences?.length > 0 && answer.sentences.every((s) => s.kind !== undefined);
  return composed ? composedText(answer, open) : modelText(answer, open);
}

/// The list of sources under an answer.
export function sourceList(answer, open) {
  if (!answer.citations.length) return null;
  return h('section', {class: 'sources', 'aria-label': t('answer.sources')},
    h('h3', {text: t('answer.sources')}),
    h('ol', {}, answer.citations.map((citation) => h('li', {},
      citationButton(citation, open),
      h('button', {type: 'button', class: 'source', tabindex: -1, 'aria-hidden': 'true',
                   on: {click: (event) => open(citation, event.currentTarget.previousElementSibling)}},
        h('span', {class: 'source-title', text: citation.title || citation.path}),
        h('span', {class: 'source-place', text: [pageName(citation.page), citation.heading_path].filter(Boolean).join(' · ')}),
        h('span', {class: 'source-quote', text: citation.quote}),
        citation.match === 'exact' ? null
          : h('span', {class: 'source-match', text: t(citation.match === 'fuzzy' ? 'cite.fuzzy' : 'cite.absent')}))))));
}

/// What "Copy" puts on the clipboard: the answer with numbered sources.
export function asPlainText(question, answer) {
  const sources = answer.citations.map((citation) =>
    `[${citation.number}] ${[citation.title || citation.path, pageName(citation.page), citation.heading_path]
      .filter(Boolean).join(', ')}: “${citation.quote.replace(/\s+/g, ' ')}”`);
  return [question, '', answer.answer || t('refusal.title'), ...(sources.length ? ['', t('answer.sources'), ...sources] : [])].join('\n');
}
