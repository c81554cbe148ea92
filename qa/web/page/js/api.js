// Talks to /api/v1: JSON, event streams, the token when the server wants one, errors in words.
import {h} from './dom.js';
import {t} from './strings.js';

const kTokenKey = 'vade.token';
let token = read(kTokenKey);
let asking = null;  // one question for the token, however many requests wait for it

function read(key) {
  try {
    return sessionStorage.getItem(key) || '';
  } catch {
    return '';
  }
}

export class ApiError extends Error {
  constructor(status, body, requestId) {
    const error = body && typeof body.error === 'object' && body.error ? body.error : {};
    super(error.message || t('error.status', {status}));
    this.status = status;
    this.code = error.code || error.type || '';
    this.requestId = requestId || '';
  }
}

/// What went wrong and what to do about it, in the language of the page.
export function explain(error) {
  if (error.name === 'AbortError') return t('error.stopped');
  if (!(error instanceof ApiError)) return t('error.network');
  const advice = {401: 'error.token', 404: 'error.missing', 409: 'error.changed',
                  413: 'error.large', 429: 'error.limit', 503: 'error.busy'}[error.status] ||
                 (error.status >= 500 ? 'error.server' : '');
  const words = [error.message.replace(/[.\s]*$/, '.')];
  if (advice) words.push(t(advice));
  if (error.requestId && error.status >= 500) words.push(t('error.request', {id: error.requestId}));
  return words.join(' ');
}

/// Sends one request; a 401 asks for the token and tries again.
async function send(path, {method = 'GET', body, signal, accept = 'application/json'} = {}) {
  for (;;) {
    const sent = token;
    const headers = {Accept: accept};
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (sent) headers.Authorization = `Bearer ${sent}`;
    const response = await fetch(path, {
      method, headers, signal, cache: 'no-store', credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body)});
    if (response.ok) return response;
    if (response.status === 401 && (token !== sent || await askToken(Boolean(sent)))) continue;
    const text = await response.text();
    let parsed = null;
    try {
      parsed = JSON.parse(text);
    } catch {
      // An error page of something between us and the server: the status says enough.
    }
    throw new ApiError(response.status, parsed, response.headers.get('X-Request-Id'));
  }
}

export const get = async (path, signal) => (await send(path, {signal})).json();
export const post = async (path, body = {}) => (await send(path, {method: 'POST', body})).json();
export const remove = async (path) =>
  (await send(path, {method: 'DELETE', body: {}})).json().catch(() => ({}));
export const bytes = async (path, signal) =>
  new Uint8Array(await (await send(path, {signal, accept: '*/*'})).arrayBuffer());

/// Posts and calls onEvent(name, data) for each event of the reply, until it ends.
export async function stream(path, body, signal, onEvent) {
  const response = await send(path, {method: 'POST', body, signal, accept: 'text/event-stream'});
  if (!(response.headers.get('Content-Type') || '').startsWith('text/event-stream')) {
    onEvent('answer', await response.json());
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser(onEvent);
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    parser.feed(value);
  }
}

/// Takes an event stream apart; pieces may end anywhere.
export class EventParser {
  #rest = '';
  #name = '';
  #data = [];
  #onEvent;

  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  feed(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const raw of lines) this.#line(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
  }

  #line(line) {
    if (line === '') {
      if (this.#data.length) this.#onEvent(this.#name || 'message', JSON.parse(this.#data.join('\n')));
      this.#name = '';
      this.#data = [];
    } else if (line.startsWith('event:')) {
      this.#name = line.slice(6).trim();
    } else if (line.startsWith('data:')) {
      this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
  }
}

/// Asks for the token in a dialog. Resolves to false when the user gives none.
function askToken(wasWrong) {
  asking ??= new Promise((resolve) => {
    const input = h('input', {type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false',
                              class: 'input', autofocus: true});
    const accept = () => {
      if (!input.value.trim()) return;
      token = input.value.trim();
      try {
        sessionStorage.setItem(kTokenKey, token);
      } catch {
        // Then it lasts as long as this page.
      }
      dialog.close('yes');
    };
    const dialog = h('dialog', {class: 'dialog', 'aria-labelledby': 'token-title'},
      h('h2', {id: 'token-title', text: t('token.title')}),
      h('p', {text: t(wasWrong ? 'token.wrong' : 'token.text')}),
      h('label', {for: 'token', text: t('token.label')}), input,
      h('div', {class: 'row end'},
        h('button', {type: 'button', class: 'button', text: t('cancel'), on: {click: () => dialog.close('')}}),
        h('button', {type: 'button', class: 'button primary', text: t('token.use'), on: {click: accept}})));
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') accept();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      asking = null;
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}
