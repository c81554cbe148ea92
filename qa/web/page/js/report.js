// A report of `vade eval` drawn: measures with confidence, comparisons with p, plots, worst questions.
import {fill, h} from './dom.js';
import {Plot, seriesColor} from './charts.js';
import {milliseconds, number, probability} from './format.js';
import {t} from './strings.js';

const kWorst = 15;
const armName = (name) => (['lexical', 'dense', 'hybrid'].includes(name) ? t(`stage.${name}`) : name);

function panel(title, note, ...children) {
  return h('section', {class: 'panel'}, h('h2', {text: title}), note ? h('p', {class: 'soft', text: note}) : null, children);
}

function table(columns, rows, className = 'table') {
  return h('div', {class: 'scroll', tabindex: 0}, h('table', {class: className},
    h('thead', {}, h('tr', {}, columns.map((name, i) => h('th', {scope: 'col', class: i ? 'num' : '', text: name})))), h('tbody', {}, rows)));
}

function measureTable(report, measures) {
  const best = Object.fromEntries(measures.map((m) => [m, Math.max(...report.arms.map((arm) => arm.measures[m]?.mean ?? 0))]));
  return table([t('eval.measure'), ...report.arms.map((arm) => armName(arm.name))], [
    ...measures.map((m) => h('tr', {}, h('th', {scope: 'row', text: m}), report.arms.map((arm) => {
      const value = arm.measures[m];
      return h('td', {class: `num ${value && value.mean === best[m] && report.arms.length > 1 ? 'best' : ''}`},
        number(value?.mean, 3), value?.low !== undefined ? h('small', {class: 'soft', text: ` ${number(value.low, 3)}–${number(value.high, 3)}`}) : null);
    }))),
    h('tr', {}, h('th', {scope: 'row', text: t('eval.latency')}), report.arms.map((arm) =>
      h('td', {class: 'num', text: arm.latency_ms ? `${milliseconds(arm.latency_ms.p50)} / ${milliseconds(arm.latency_ms.p95)}` : '–'})))]);
}

function comparisonTable(report, measure) {
  return table([t('eval.pair'), t('eval.difference'), t('eval.wins'), t('eval.p'), t('eval.holm'), t('eval.t')],
    report.comparisons.map((c) => {
      const m = c.measures[measure] || {};
      return h('tr', {class: m.randomization_p_holm < 0.05 ? 'significant' : ''},
        h('th', {scope: 'row', text: t('eval.against', {a: armName(c.arm), b: armName(c.against)})}),
        h('td', {class: 'num', text: `${m.difference > 0 ? '+' : ''}${number(m.difference, 3)}`}),
        h('td', {class: 'num', text: `${c.won} / ${c.tied} / ${c.lost}`}),
        h('td', {class: 'num', text: probability(m.randomization_p)}), h('td', {class: 'num', text: probability(m.randomization_p_holm)}),
        h('td', {class: 'num', text: probability(m.t_test_p)}));
    }));
}

const scales = (x, y, extra = {}) => ({x: {grid: {display: false}, title: {display: Boolean(x), text: x}}, y: {beginAtZero: true, title: {display: Boolean(y), text: y}, ...extra}});

function plots(report, measures) {
  const arms = report.arms;
  const list = [new Plot(t('plot.measures'), () => ({type: 'bar', data: {labels: measures,
    datasets: arms.map((arm, i) => ({label: armName(arm.name), backgroundColor: seriesColor(i), borderRadius: 3,
      data: measures.map((m) => arm.measures[m]?.mean ?? null), spread: measures.map((m) => arm.measures[m] || {})}))},
    options: {plugins: {legend: {position: 'bottom', labels: {boxWidth: 10, boxHeight: 10}}}, scales: scales('', '', {max: 1})}}))];
  const line = (title, x, points) => new Plot(title, () => ({type: 'line', data: {labels: points(arms[0]).map(([label]) => label),
    datasets: arms.map((arm, i) => ({label: armName(arm.name), data: points(arm).map(([, value]) => value), borderColor: seriesColor(i), backgroundColor: seriesColor(i), borderWidth: 2, pointRadius: 2.5}))},
    options: {plugins: {legend: {position: 'bottom', labels: {boxWidth: 10, boxHeight: 10}}}, scales: scales(x, '', {max: 1})}}));
  if (arms[0]?.recall_at) list.push(line(t('plot.recall'), t('plot.depth'), (arm) => Object.entries(arm.recall_at)));
  if (arms[0]?.precision_at_recall) list.push(line(t('plot.precision'), t('plot.recallAxis'), (arm) => arm.precision_at_recall.map((p, i) => [number(i / 10, 1), p])));
  return list;
}

/// Per question, one arm minus another, in order: what is gained and lost.
function differencePlot(report, choice) {
  return new Plot(t('plot.differences'), () => {
    const {arm, against, measure} = choice();
    const rows = report.questions.map((q) => ({id: q.id, text: q.text, d: (q.values[arm]?.[measure] ?? 0) - (q.values[against]?.[measure] ?? 0)})).sort((a, b) => b.d - a.d);
    return {type: 'bar', data: {labels: rows.map((row) => row.id), datasets: [{label: `${armName(arm)} – ${armName(against)}, ${measure}`, data: rows.map((row) => row.d),
      backgroundColor: rows.map((row) => seriesColor(row.d >= 0 ? 2 : 5)), barPercentage: 1, categoryPercentage: 1}]},
      options: {plugins: {legend: {display: false}, tooltip: {callbacks: {title: ([item]) => rows[item.dataIndex].text}}},
        scales: {x: {ticks: {display: false}, grid: {display: false}}, y: {min: -1, max: 1}}}};
  });
}

function worstTable(report, arm, measure) {
  const answers = new Map((report.answers || []).map((answer) => [answer.id, answer]));
  const rows = [...report.questions].sort((a, b) => (a.values[arm]?.[measure] ?? 0) - (b.values[arm]?.[measure] ?? 0)).slice(0, kWorst);
  const fate = (answer) => (!answer ? '–' : answer.refused ? t('eval.refused') : answer.holds_reference ? t('eval.right') : t('eval.wrong'));
  return h('div', {class: 'scroll', tabindex: 0}, h('table', {class: 'table'},
    h('thead', {}, h('tr', {}, h('th', {scope: 'col', text: t('eval.question')}), h('th', {scope: 'col', text: t('eval.type')}),
      report.arms.map((a) => h('th', {scope: 'col', class: 'num', text: armName(a.name)})), h('th', {scope: 'col', text: t('eval.answer')}))),
    h('tbody', {}, rows.map((q) => h('tr', {}, h('th', {scope: 'row', lang: q.language || null}, h('span', {class: 'soft small', text: `${q.id} `}), q.text),
      h('td', {class: 'soft', text: q.type || '–'}), report.arms.map((a) => h('td', {class: 'num', text: number(q.values[a.name]?.[measure], 2)})),
      h('td', {text: fate(answers.get(q.id))}))))));
}

function refusalPanel(refusal) {
  if (!refusal) return null;
  const cell = (value, right) => h('td', {class: `num ${right ? 'good' : 'poor'}`, text: number(value)});
  return panel(t('eval.refusal'), t('eval.refusalText', {precision: number(refusal.precision, 2), recall: number(refusal.recall, 2), f1: number(refusal.f1, 2),
    correct: number(refusal.answers_correct), checked: number(refusal.answers_checked)}),
    table(['', t('eval.answered'), t('eval.refused')], [
      h('tr', {}, h('th', {scope: 'row', text: t('eval.answerable')}), cell(refusal.answerable_answered, true), cell(refusal.answerable_refused, false)),
      h('tr', {}, h('th', {scope: 'row', text: t('eval.unanswerable')}), cell(refusal.unanswerable_answered, false), cell(refusal.unanswerable_refused, true))]));
}

/// Draws the report into `root`. Returns what gives its plots back.
export function drawReport(root, report) {
  const measures = Object.keys(report.arms[0]?.measures || {});
  const names = report.arms.map((arm) => arm.name);
  const main = measures[0];
  const choice = {arm: names.at(-1), against: names.at(-2) ?? names[0], measure: main};
  const all = plots(report, measures);
  const difference = names.length > 1 && report.questions?.length ? differencePlot(report, () => choice) : null;
  if (difference) all.push(difference);
  const comparison = h('div', {});
  const worst = h('div', {});
  const drawChosen = () => {
    if (report.comparisons?.length) fill(comparison, comparisonTable(report, choice.measure));
    if (report.questions?.length) fill(worst, worstTable(report, choice.arm, choice.measure));
    difference?.draw();
  };
  const picker = (key, values, label, show = (value) => value) => {
    const select = h('select', {class: 'select', 'aria-label': label, on: {change: (event) => {
      choice[key] = event.target.value;
      drawChosen();
    }}}, values.map((value) => h('option', {value, text: show(value)})));
    select.value = choice[key];
    return h('label', {class: 'field'}, h('span', {text: label}), select);
  };
  fill(root,
    panel(report.title, [report.ranking, ...(report.facts || []), t('eval.judged', {n: number(report.judged_questions)})].join(' · '),
      (report.warnings || []).map((text) => h('div', {class: 'notice', text})), measureTable(report, measures), h('p', {class: 'soft small', text: t('eval.interval')})),
    h('div', {class: 'plots'}, all.filter((plot) => plot !== difference).map((plot) => plot.element)),
    h('div', {class: 'row wrap pickers'}, picker('measure', measures, t('eval.measure')),
      names.length > 1 ? [picker('arm', names, t('eval.arm'), armName), picker('against', names, t('eval.baseline'), armName)] : null),
    report.comparisons?.length ? panel(t('eval.comparisons'), t('eval.holmText'), comparison) : null,
    difference ? h('div', {class: 'plots one'}, difference.element) : null,
    report.groups?.length ? panel(t('eval.groups'), t('eval.groupsText', {measure: main}), table([t('eval.group'), t('eval.questions'), ...names.map(armName)],
      report.groups.map((group) => h('tr', {}, h('th', {scope: 'row', text: group.group}), h('td', {class: 'num', text: number(group.questions)}),
        names.map((name) => h('td', {class: 'num', text: number(group[name], 3)})))))) : null,
    refusalPanel(report.refusal),
    report.questions?.length ? panel(t('eval.worst'), t('eval.worstText'), worst) : null);
  drawChosen();
  for (const plot of all) plot.draw();
  return () => all.forEach((plot) => plot.drop());
}
