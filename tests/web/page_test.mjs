// The web page in a headless Chromium against the real `vade serve`: node page_test.mjs PROGRAM
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {findBrowser, foreignServer, makeLibrary, serve} from './support.mjs';

const program = process.argv[2];
const kViews = ['ask', 'library', 'models', 'dashboard', 'evaluation'];
const kPressure = 'What is the highest cut-out pressure that can be set on the AquaLift P350?';
const kNozzle = 'How do I change the nozzle of my LW-300?';

const browser = await findBrowser();
const library = makeLibrary(program);
const server = await serve(program, library);

/// A page whose console must stay clean, unless the test provokes it.
async function open(options = {}, hash = '#/ask') {
  const context = await browser.newContext({viewport: {width: 1280, height: 800}, locale: 'en-US', ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(error.message));
  await page.goto(`${server.origin}/${hash}`);
  await page.waitForSelector('.nav a[aria-current]');
  return page;
}

async function close(page) {
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

async function ask(page, question) {
  const before = await page.locator('.turn').count();
  await page.fill('#question', question);
  await page.press('#question', 'Enter');
  const turn = page.locator('.turn').nth(before);
  await turn.and(page.locator('[data-state]')).waitFor();
  return turn;
}

/// Has /api/v1/ask answer with these events.
async function answerWith(page, events) {
  await page.route('**/api/v1/ask', (route) => route.fulfill({contentType: 'text/event-stream',
    body: ': ping\n\n' + events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join('')}));
}

const kCitation = {number: 1, document: 1, path: 'a.md', title: 'A', heading_path: '', page: null, quote: 'q', begin: 0, end: 1, match: 'exact'};

const tests = {
  async 'asks, and a citation opens the PDF at its page with the words highlighted'() {
    const page = await open();
    await page.waitForSelector('.promises');
    assert.match(await page.textContent('.lead'), /15 documents/);
    const turn = await ask(page, kPressure);
    assert.equal(await turn.getAttribute('data-state'), 'answered');
    assert.match(await turn.textContent(), /5\.2 bar/);
    const source = page.locator('.sources li', {hasText: 'Cut-out pressure'}).first();
    const number = await source.locator('.cite').getAttribute('data-citation');
    await turn.locator(`.prose .cite[data-citation="${number}"]`).click();
    await page.waitForSelector('.pdf-page[data-page="6"] .pdf-mark');
    assert.match(await page.textContent('.reader-page'), /^3 · 6 of 12$/);
    // The boxes lie over the row of the table, in the part of the page that is seen.
    const covered = await page.evaluate(() => {
      const marks = [...document.querySelectorAll('.pdf-mark')].map((mark) => mark.getBoundingClientRect());
      const seen = document.querySelector('.reader-body').getBoundingClientRect();
      const spans = [...document.querySelectorAll('.pdf-page[data-page="6"] .text-layer span')];
      return spans.filter((span) => {
        const box = span.getBoundingClientRect();
        const x = box.left + box.width / 2;
        const y = box.top + box.height / 2;
        return y > seen.top && y < seen.bottom && marks.some((mark) => mark.left <= x && x <= mark.right && mark.top <= y && y <= mark.bottom);
      }).map((span) => span.textContent).join(' ');
    });
    assert.match(covered, /Cut-out pressure\s+4\.0 bar\s+2\.5 bar\s+5\.2 bar/);
    assert.doesNotMatch(covered, /Cut-in/);
    const painted = await page.evaluate(() => {
      const canvas = document.querySelector('.pdf-page[data-page="6"] canvas');
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      return pixels.some((value, i) => i % 4 === 0 && value < 60);
    });
    assert.ok(painted, 'the page has ink');
    await page.click('.segment[data-mode="text"]');
    await page.waitForSelector('.text-mark');
    assert.equal(await page.textContent('.text-mark'), 'Cut-out pressure | 4.0 bar | 2.5 bar | 5.2 bar');
    await close(page);
  },

  async 'a citation of a text opens it with the quoted words marked, in Korean by UTF-8 offsets'() {
    const page = await open();
    const turn = await ask(page, kNozzle);
    await turn.locator('.prose .cite').first().click();
    await page.waitForSelector('.text-mark');
    assert.match(await page.textContent('.text-mark'), /^1\. Unload the filament\.[\s\S]*nozzle height\.$/);
    const korean = await ask(page, 'RC-10 고무 패킹 교체 방법을 알려 주세요');
    await korean.locator('.prose .cite').first().click();
    await page.waitForFunction(() => document.querySelector('.text-mark')?.textContent.includes('커버'));
    assert.match(await page.textContent('.text-mark'), /^1\. 분리형 커버를[\s\S]*들뜬 곳이 없게 합니다\.$/);
    const mark = await page.locator('.text-mark').boundingBox();
    const body = await page.locator('.reader-body').boundingBox();
    assert.ok(mark.y >= body.y && mark.y + mark.height <= body.y + body.height, 'the mark is in view');
    await close(page);
  },

  async 'refuses what the documents do not hold, with the nearest passages'() {
    const page = await open();
    const turn = await ask(page, 'What does error E-099 mean on the 3D printer?');
    assert.equal(await turn.getAttribute('data-state'), 'refused');
    assert.match(await turn.textContent(), /Not in these documents/);
    assert.ok(await turn.locator('.nearest .hit').count() > 0);
    assert.ok(await turn.locator('.hit .stage').count() > 1, 'scores of the stages are drawn');
    await close(page);
  },

  async 'a follow-up goes on with the conversation, a new one does not'() {
    const page = await open();
    const bodies = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/api/v1/ask')) bodies.push(request.postDataJSON());
    });
    await ask(page, kPressure);
    await ask(page, 'And the lowest?');
    await page.click('text=New conversation');
    assert.equal(await page.locator('.turn').count(), 0);
    await ask(page, kNozzle);
    assert.deepEqual(bodies.map((body) => Boolean(body.conversation)), [false, true, false]);
    await close(page);
  },

  async 'retrieval, tokens and times are shown on request'() {
    const page = await open();
    const turn = await ask(page, kNozzle);
    await turn.getByRole('button', {name: 'How it was found'}).click();
    assert.ok(await turn.locator('.detail-panel .hit').count() >= 3);
    await turn.getByRole('button', {name: 'Tokens and time'}).click();
    assert.match(await turn.locator('.detail-panel').textContent(), /ms/);
    await close(page);
  },

  async 'works by keyboard alone'() {
    const page = await open();
    await page.locator('.brand').focus();
    await page.keyboard.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'question');
    await page.keyboard.type(kPressure);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.turn[data-state="answered"]');
    const cites = page.locator('.prose .cite');
    assert.ok(await cites.count() >= 2);
    await cites.first().focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('.pdf-mark');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.cite[data-citation="2"][aria-current="true"]');
    await page.keyboard.press('Escape');
    assert.ok(await page.locator('#reader').isHidden());
    assert.equal(await page.evaluate(() => document.activeElement.dataset.citation), '2', 'the focus returns');
    await close(page);
  },

  async 'speaks Korean when the browser does, and switches'() {
    const page = await open({locale: 'ko-KR'});
    assert.equal(await page.getAttribute('html', 'lang'), 'ko');
    assert.equal(await page.textContent('.nav a[data-view="library"]'), '문서함');
    await page.click('.language');
    assert.equal(await page.textContent('.nav a[data-view="library"]'), 'Library');
    await page.reload();
    assert.equal(await page.getAttribute('html', 'lang'), 'en', 'the choice is kept');
    await close(page);
  },

  async 'fits a phone of 320 px in both languages, the document as a sheet'() {
    for (const locale of ['en-US', 'ko-KR']) {
      const page = await open({locale, viewport: {width: 320, height: 640}, isMobile: true, hasTouch: true});
      for (const view of kViews) {
        await page.goto(`${server.origin}/#/${view}`);
        await page.waitForLoadState('networkidle');
        const wide = await page.evaluate(() => [document.documentElement.scrollWidth, document.getElementById('main').scrollWidth, innerWidth]);
        assert.deepEqual(wide, [320, 320, 320], `${view} in ${locale}`);
      }
      await page.goto(`${server.origin}/#/ask`);
      await ask(page, kPressure);
      await page.locator('.prose .cite').first().tap();
      await page.waitForSelector('.pdf-mark');
      assert.equal(await page.locator('#reader').evaluate((node) => getComputedStyle(node).position), 'fixed');
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
      await page.locator('.reader-close').tap();
      await close(page);
    }
  },

  async 'dark mode follows the system and can be chosen'() {
    const page = await open({colorScheme: 'dark'});
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)[0]);
    assert.ok(await ground() < 60);
    await page.getByRole('button', {name: /^Colours/}).click();  // auto -> light
    assert.ok(await ground() > 200);
    await close(page);
  },

  async 'every control and every picture has a name'() {
    const page = await open();
    await ask(page, kPressure);
    await page.locator('.prose .cite').first().click();
    await page.waitForSelector('.pdf-mark');
    const nameless = () => page.evaluate(() => [...document.querySelectorAll('button, a, input, select, textarea, canvas, img, progress')]
      .filter((node) => !node.closest('[aria-hidden="true"]') && !(node.textContent.trim() || node.getAttribute('aria-label') ||
        node.hasAttribute('alt') || node.labels?.length)).map((node) => node.outerHTML.slice(0, 120)));
    assert.deepEqual(await nameless(), []);
    for (const view of kViews.slice(1)) {
      await page.goto(`${server.origin}/#/${view}`);
      await page.waitForLoadState('networkidle');
      assert.deepEqual(await nameless(), [], view);
    }
    await close(page);
  },

  async 'a document that attacks is shown as words'() {
    const page = await open();
    const turn = await ask(page, 'How often is the Rasplet blade changed?');
    await turn.getByRole('button', {name: 'How it was found'}).click();
    await turn.locator('.hit .link').first().click();
    await page.waitForSelector('.text-page');
    await page.goto(`${server.origin}/#/library`);
    await page.getByRole('button', {name: /^Rasplet/}).first().click();
    await page.waitForSelector('.report h2');
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator('iframe, main img, aside img, [onerror], a[href^="javascript"]').count(), 0);
    await close(page);
  },

  async 'an answer that attacks is shown as words, and its links and images are tamed'() {
    const foreign = await foreignServer();
    const page = await open();
    const text = `**Bold** <img src=x onerror="window.pwned=1"><script>window.pwned=2</script> ![pic](${foreign.origin}/a.png) ![ref][r] ` +
      `[js](javascript:window.pwned=3) [data](data:text/html,x) [web](https://example.org/?a=1&b=2) <svg onload="window.pwned=4"> [1] [?]\n\n[r]: ${foreign.origin}/b.png\n[1]: ${foreign.origin}/c`;
    await answerWith(page, [['stage', {stage: 'search', ms: 1}], ['token', {text}],
      ['answer', {refused: false, answer: text, sentences: [{text, support: 'none', citations: []}], citations: [kCitation], passages: [], warnings: [], timings: {}, model: 'm', conversation: 'c'}]]);
    const turn = await ask(page, 'attack');
    await page.waitForTimeout(300);
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await turn.locator('img, script, svg[onload], iframe').count(), 0);
    const links = await turn.locator('a').evaluateAll((all) => all.map((a) => [a.href, a.rel, a.target]));
    assert.equal(links[0][0], 'https://example.org/?a=1&b=2');
    for (const [href, rel, target] of links) {
      assert.match(href, /^https?:/);
      assert.deepEqual([rel, target], ['noopener noreferrer nofollow', '_blank']);
    }
    assert.equal(await turn.locator('.prose strong').textContent(), 'Bold');
    assert.ok(await turn.locator('.prose .cite').count() >= 1, '[1] stays a citation');
    assert.match(await turn.textContent(), /<script>window\.pwned=2<\/script>/);
    assert.equal(foreign.visits(), 0);
    foreign.stop();
    await close(page);
  },

  async 'the policy keeps scripts, pictures and requests of other origins out'() {
    const foreign = await foreignServer();
    const page = await open();
    const blocked = await page.evaluate(async (origin) => {
      const seen = [];
      document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
      try {
        const script = document.createElement('script');
        script.src = `${origin}/evil.js`;
        document.head.append(script);
      } catch {
        seen.push('trusted types');
      }
      const image = new Image();
      image.src = `${origin}/evil.png`;
      await fetch(`${origin}/evil`).catch(() => seen.push('fetch failed'));
      try {
        const inline = document.createElement('div');
        inline.setAttribute('onclick', 'window.pwned = "inline"');
        inline.click();
      } catch {
        seen.push('trusted types');
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      return seen;
    }, foreign.origin);
    assert.ok(blocked.includes('img-src') && blocked.includes('connect-src') && blocked.includes('fetch failed'), blocked.join());
    assert.ok(blocked.some((name) => /script|trusted/.test(name)), blocked.join());
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(foreign.visits(), 0);
    foreign.stop();
    await page.context().close();  // its console is not clean: that was the point
  },

  async 'a model writes: unchecked words give way to checked sentences, unsupported ones are marked'() {
    const page = await open();
    const answer = 'The **bolt** is tightened with 5 Nm. [1] It was made on the moon. [?]';
    await answerWith(page, [['route', {model: 'tiny', size: 'small', reason: 'short'}], ['progress', {done: 1, total: 2}],
      ['token', {text: 'The **bolt** is tightened with 5 Nm. [1] It was made '}], ['sentence', {text: 'The **bolt** is tightened with 5 Nm.', support: 'supported', citations: [1]}],
      ['token', {text: 'on the moon.'}], ['answer', {refused: false, answer, model: 'tiny', conversation: 'c', citations: [kCitation], passages: [], warnings: [], timings: {},
        sentences: [{text: 'The **bolt** is tightened with 5 Nm.', support: 'supported', citations: [1]}, {text: 'It was made on the moon.', support: 'none', citations: []}],
        ledger: {budget_tokens: 100, parts: [{what: 'passage 9', tokens: 80, included: false, reason: 'does not fit'}]}}]]);
    const turn = await ask(page, 'bolt?');
    assert.equal(await turn.locator('.unsupported').textContent(), 'It was made on the moon.');
    assert.equal(await turn.locator('.badge-unsupported').count(), 1);
    assert.equal(await turn.locator('.prose strong').textContent(), 'bolt');
    assert.match(await turn.locator('.route').textContent(), /tiny/);
    await turn.getByRole('button', {name: 'Tokens and time'}).click();
    assert.match(await turn.locator('.detail-panel').textContent(), /passage 9.*80.*does not fit/);
    await close(page);
  },

  async 'an answer can be stopped, and an error says what to do'() {
    const page = await open();
    await page.route('**/api/v1/ask', () => {});  // never answers
    await page.fill('#question', 'slow');
    await page.press('#question', 'Enter');
    await page.getByRole('button', {name: 'Stop the answer'}).click();
    await page.waitForSelector('.turn[data-state="failed"]');
    assert.match(await page.textContent('.turn'), /Stopped\./);
    await page.unroute('**/api/v1/ask');
    await page.route('**/api/v1/ask', (route) => route.fulfill({status: 503, contentType: 'application/json', body: '{"error":{"message":"queue full"}}'}));
    const turn = await ask(page, 'busy');
    assert.match(await turn.textContent(), /queue full\. The server is busy/);
    page.complaints = page.complaints.filter((text) => !text.includes('503'));
    await close(page);
  },

  async 'the library lists, reports pages, indexes again and removes'() {
    const page = await open({}, '#/library');
    await page.waitForSelector('.table tbody tr');
    assert.equal(await page.locator('.table tbody tr').count(), 15);
    await page.fill('input[type=search]', 'P350');
    await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length === 1);
    await page.locator('.table .link').click();
    await page.waitForSelector('.page-cell');
    assert.equal(await page.locator('.page-cell').count(), 12);
    assert.equal(await page.locator('.page-cell.silent').count(), 1, 'the page without text');
    await page.locator('.page-cell').nth(5).click();
    await page.waitForSelector('.pdf-page[data-page="6"] canvas');
    assert.match(await page.textContent('.reader-page'), /6 of 12/);
    await page.keyboard.press('Escape');
    await page.fill('input[type=search]', 'Rasplet');
    await page.waitForFunction(() => document.querySelector('.table tbody')?.textContent.includes('Rasplet'));
    await page.getByRole('button', {name: /^Remove Rasplet/}).click();
    await page.getByRole('button', {name: 'Cancel'}).click();
    assert.equal(await page.locator('.table tbody tr').count(), 1, 'nothing happened');
    await page.getByRole('button', {name: /^Remove Rasplet/}).click();
    await page.locator('dialog').getByRole('button', {name: 'Remove'}).click();
    await page.waitForSelector('.empty');
    await page.fill('input[type=search]', '');
    await page.getByRole('button', {name: 'Bring up to date'}).click();
    await page.waitForSelector('.job.done');
    assert.match(await page.textContent('.job.done'), /1 new/);
    await close(page);
  },

  async 'a Korean PDF that does not hold its font has its letters'() {
    const page = await open({}, '#/library');
    await page.fill('input[type=search]', 'old-ko');
    await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length === 1);
    await page.getByRole('button', {name: /^Open/}).click();
    await page.waitForSelector('.text-layer span');
    assert.equal(await page.textContent('.text-layer'), '사용설명서');
    await close(page);
  },

  async 'an evaluation runs and its report is drawn'() {
    const page = await open({}, '#/evaluation');
    await page.waitForSelector('option[value="small"]', {state: 'attached'});
    await page.getByRole('button', {name: 'Measure'}).click();
    await page.waitForSelector('.plots canvas', {timeout: 60000});
    assert.match(await page.textContent('main'), /nDCG@10/);
    assert.match(await page.textContent('main'), /p \(Holm\)/);
    assert.equal(await page.locator('.table tbody tr', {hasText: 'How is descaling'}).count(), 1);
    await close(page);
  },

  async 'models and dashboard show what the server reports'() {
    const page = await open({}, '#/models');
    await page.waitForSelector('.meter');
    await page.goto(`${server.origin}/#/dashboard`);
    await page.waitForSelector('.tile');
    assert.notEqual(await page.locator('.tile-value').first().textContent(), '0');
    const [download] = await Promise.all([page.waitForEvent('download').catch(() => null), page.getByRole('button', {name: 'Usage as CSV'}).click()]);
    if (download) assert.equal(download.suggestedFilename(), 'vade-usage.csv');
    page.complaints = page.complaints.filter((text) => !text.includes('404'));  // nothing was recorded
    await close(page);
  },

  async 'asks for the token when the server wants one'() {
    const file = path.join(library.folder, 'token');
    const guarded = await serve(program, library, '--token-file', file);
    const token = fs.readFileSync(file, 'utf8').trim().split(/\s+/).at(-1);
    const page = await open({}, '#/ask');
    await page.goto(`${guarded.origin}/#/ask`);
    await page.fill('#token', 'wrong');
    await page.press('#token', 'Enter');
    await page.waitForSelector('text=did not accept');
    await page.fill('#token', token);
    await page.press('#token', 'Enter');
    await page.waitForSelector('.promises');
    await page.reload();
    await page.waitForSelector('.promises');
    assert.equal(await page.locator('dialog').count(), 0, 'kept for this tab');
    assert.equal(await page.evaluate(() => localStorage.getItem('vade.token')), null);
    await page.context().close();
    await guarded.stop();
  },
};

let failures = 0;
for (const [name, test] of Object.entries(tests)) {
  if (process.argv[3] && !name.includes(process.argv[3])) continue;
  try {
    await test();
    console.log(`ok    ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAIL  ${name}\n      ${String(error.stack).split('\n').slice(0, 12).join('\n      ')}`);
    for (const context of browser.contexts()) await context.close();
  }
}
await browser.close();
await server.stop();
fs.rmSync(library.folder, {recursive: true, force: true});
process.exit(failures ? 1 : 0);
