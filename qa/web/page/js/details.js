// What stands behind an answer, on request: how each passage was found, what the prompt held, times.
import {h} from './dom.js';
import {milliseconds, number, pageName} from './format.js';
import {t} from './strings.js';

const kStages = ['lexical', 'dense', 'fused', 'rerank'];

function bar(share, stage) {
  const fill = h('span', {class: `bar-fill ${stage}`});
  fill.style.inlineSize = `${Math.round(100 * Math.max(0, Math.min(1, share)))}%`;
  return h('span', {class: 'bar', 'aria-hidden': 'true'}, fill);
}

/// The passage without the heading that stands above it anyway, in one run.
function excerpt({text, heading_path: path, title}) {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
  const headings = [title, ...String(path || '').split(' > ')];
  while (lines.length > 1 && headings.includes(lines[0])) lines.shift();
  return lines.join(' ');
}

/// One hit: where it is from, its rank and score at each stage as small bars, its text.
export function hitCard(passage, best, open) {
  const cite = {number: passage.rank, document: passage.document, path: passage.path, title: passage.title,
                heading_path: passage.heading_path, page: passage.first_page, quote: passage.text,
                begin: passage.begin, end: passage.end, match: 'exact'};
  const stages = kStages.filter((stage) => passage[stage]).map((stage) => {
    const {rank, score} = passage[stage];
    return h('div', {class: 'stage'},
      h('span', {class: 'stage-name', text: t(`stage.${stage}`)}),
      bar(best[stage] > 0 ? score / best[stage] : 0, stage),
      h('span', {class: 'stage-score', text: `${number(score, 3)}${rank ? ` · ${t('rank', {n: rank})}` : ''}`}));
  });
  const extras = [];
  if (passage.identifier_bonus > 0) extras.push(t('hit.identifier', {n: number(passage.identifier_bonus, 2)}));
  if (passage.name_credit > 0) extras.push(t('hit.name', {n: number(passage.name_credit, 2)}));
  if (passage.duplicates?.length) extras.push(t('hit.duplicates', {list: passage.duplicates.join(', ')}));
  return h('li', {class: 'hit'},
    h('div', {class: 'hit-head'},
      h('span', {class: 'hit-rank', text: String(passage.rank)}),
      h('button', {type: 'button', class: 'link', text: passage.title || passage.path,
                   on: {click: (event) => open(cite, event.currentTarget)}}),
      h('span', {class: 'soft', text: [pageName(passage.first_page), passage.heading_path].filter(Boolean).join(' · ')})),
    stages.length ? h('div', {class: 'stages'}, stages) : null,
    extras.length ? h('p', {class: 'soft small', text: extras.join(' · ')}) : null,
    h('p', {class: 'hit-text', text: excerpt(passage)}));
}

/// The passages of a search, best first.
export function hitList(passages, open) {
  const best = {};
  for (const stage of kStages) best[stage] = Math.max(...passages.map((p) => p[stage]?.score ?? 0), 0);
  return h('ol', {class: 'hits'}, passages.map((passage) => hitCard(passage, best, open)));
}

/// Tokens of the prompt, part by part, and what was left out and why.
export function ledgerTable(answer) {
  const ledger = answer.ledger;
  if (!ledger) return h('p', {class: 'soft', text: t('ledger.none')});
  const used = ledger.parts.filter((part) => part.included).reduce((sum, part) => sum + part.tokens, 0);
  const generation = answer.generation;
  const facts = generation ? [
    t('ledger.prompt', {n: number(generation.prompt_tokens), reused: number(generation.reused_tokens || 0)}),
    t('ledger.written', {n: number(generation.completion_tokens),
                         rate: generation.decode_ms > 0 ? number(generation.completion_tokens / generation.decode_ms * 1000, 1) : '–'}),
    generation.stop_reason ? t('ledger.stopped', {reason: generation.stop_reason}) : null] : [];
  return h('div', {},
    h('p', {class: 'soft', text: t('ledger.budget', {used: number(used), budget: number(ledger.budget_tokens)})}),
    h('div', {class: 'scroll', tabindex: 0}, h('table', {class: 'table compact'},
      h('thead', {}, h('tr', {}, h('th', {scope: 'col', text: t('ledger.part')}),
        h('th', {scope: 'col', class: 'num', text: t('ledger.tokens')}), h('th', {scope: 'col', text: t('ledger.fate')}))),
      h('tbody', {}, ledger.parts.map((part) => h('tr', {class: part.included ? '' : 'left-out'},
        h('td', {text: part.what}), h('td', {class: 'num', text: number(part.tokens)}),
        h('td', {text: part.included ? t('ledger.in') : t('ledger.out', {reason: part.reason || ''})})))))),
    h('p', {class: 'soft', text: facts.filter(Boolean).join(' · ')}));
}

/// Time by stage, as bars of one scale.
export function timingList(timings) {
  const rows = Object.entries(timings || {}).filter(([, ms]) => ms >= 0.05).sort((a, b) => b[1] - a[1]);
  if (!rows.length) return h('p', {class: 'soft', text: t('timing.none')});
  const longest = rows[0][1];
  return h('div', {class: 'stages'}, rows.map(([name, ms]) => h('div', {class: 'stage'},
    h('span', {class: 'stage-name', text: name.replace(/_ms$/, '').replaceAll('_', ' ')}), bar(ms / longest, 'time'),
    h('span', {class: 'stage-score', text: milliseconds(ms)}))));
}
