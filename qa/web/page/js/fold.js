// Finding quoted words in text that was laid out differently: compared without white space, hyphens,
// cell separators, case and compatibility forms. Also byte offsets (UTF-8, as the store counts) to text.

const kIgnored = /[\s\u00ad\u200b-\u200f\u2060\ufeff|\-\u2010-\u2015\u2022\u00b7\ue000-\uf8ff]/u;

/// Folds text. Returns {text, from}: from[i] is where in the original unit i of text comes from.
export function fold(original) {
  let text = '';
  const from = [];
  let at = 0;
  for (const symbol of original) {
    for (const unit of symbol.normalize('NFKC').toLowerCase()) {
      if (kIgnored.test(unit)) continue;
      text += unit;
      for (let i = 0; i < unit.length; i += 1) from.push(at);
    }
    at += symbol.length;
  }
  from.push(original.length);
  return {text, from};
}

/// The ranges {begin, end} of `original` that hold the quote: one if it stands there as a whole,
/// else those of its lines and sentences that do, else none.
export function findQuote(original, quote) {
  const page = fold(original);
  const find = (words, start = 0) => {
    const wanted = fold(words).text;
    if (wanted.length < 2) return null;
    const at = page.text.indexOf(wanted, start);
    if (at < 0) return null;
    const last = page.from[at + wanted.length - 1];
    const symbol = original.codePointAt(last) > 0xffff ? 2 : 1;
    return {begin: page.from[at], end: last + symbol, next: at + wanted.length};
  };
  const whole = find(quote);
  if (whole) return [whole];
  const ranges = [];
  let cursor = 0;
  for (const part of quote.split(/\n|(?<=[.!?。])\s+|\s\|\s/u)) {
    const found = fold(part).text.length >= 6 ? find(part, cursor) || find(part) : null;
    if (!found) continue;
    ranges.push(found);
    cursor = found.next;
  }
  return ranges;
}

/// Cuts text at two byte offsets of its UTF-8 form: [before, within, after].
export function cutAtBytes(text, begin, end) {
  const all = new TextEncoder().encode(text);
  const decoder = new TextDecoder('utf-8', {ignoreBOM: true});
  const clamp = (offset) => Math.max(0, Math.min(all.length, offset));
  const [from, to] = [clamp(begin), Math.max(clamp(begin), clamp(end))];
  return [all.subarray(0, from), all.subarray(from, to), all.subarray(to)].map((part) => decoder.decode(part));
}
