// Numbers, sizes and times as the reader's language writes them.
import {language, t} from './strings.js';

const locale = () => (language() === 'ko' ? 'ko-KR' : 'en-GB');

export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return new Intl.NumberFormat(locale(), {minimumFractionDigits: digits, maximumFractionDigits: digits})
    .format(value);
}

/// 0.12345 as 0.123; what is too small for that as < 0.001.
export function probability(value) {
  if (value === null || value === undefined) return '–';
  return value < 0.001 ? '< 0.001' : number(value, 3);
}

export function size(bytes) {
  if (bytes === null || bytes === undefined) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let value = bytes;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${number(value, at > 0 && value < 100 ? 1 : 0)} ${units[at]}`;
}

export function milliseconds(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms >= 1000) return `${number(ms / 1000, ms < 10000 ? 1 : 0)} s`;
  return `${number(ms, ms < 10 ? 1 : 0)} ms`;
}

/// A span of seconds in words, the two largest units of it.
export function span(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t('span.seconds', {s});
  if (s < 3600) return t('span.minutes', {m: Math.floor(s / 60), s: s % 60});
  if (s < 86400) return t('span.hours', {h: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60)});
  return t('span.days', {d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600)});
}

/// Seconds since 1970, or an ISO date, as date and time.
export function moment(value) {
  if (!value) return '–';
  const date = typeof value === 'number' ? new Date(value * 1000) : new Date(value);
  if (Number.isNaN(date.getTime())) return String(value);
  return new Intl.DateTimeFormat(locale(), {dateStyle: 'medium', timeStyle: 'short'}).format(date);
}

export function clock(seconds) {
  return new Intl.DateTimeFormat(locale(), {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'})
    .format(new Date(seconds * 1000));
}

/// How a page is called: by its printed label, and by its place in the file when that differs.
export function pageName(page) {
  if (!page) return '';
  if (!page.label || String(page.label) === String(page.number)) return t('page.plain', {n: page.number});
  return t('page.labelled', {label: page.label, n: page.number});
}
