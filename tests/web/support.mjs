// Starts what the page tests need: a library, `vade serve` on a free port, a headless Chromium.
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const kSource = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const kAttack = `# Rasplet <img src=x onerror="window.pwned='title'"> cutter

The Rasplet blade is changed every 40 hours <script>window.pwned = 'script'</script>. \
![blade](http://127.0.0.1:1/blade.png) [manual](javascript:window.pwned='link') \
<iframe srcdoc="<script>parent.pwned='frame'</script>"></iframe>
`;

/// A PDF as old Korean programs wrote it: CP949 text in a font it names but does not hold.
function koreanPdf(title) {
  const drawn = `BT /F1 24 Tf 40 100 Td <${title}> Tj ET`;
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`,
    '<< /Type /Font /Subtype /Type0 /BaseFont /HYGoThic-Medium-KSCms-UHC-H /Encoding /KSCms-UHC-H /DescendantFonts [6 0 R] >>',
    '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HYGoThic-Medium /CIDSystemInfo << /Registry (Adobe) /Ordering (Korea1) /Supplement 1 >> /FontDescriptor 7 0 R /DW 1000 >>',
    '<< /Type /FontDescriptor /FontName /HYGoThic-Medium /Flags 4 /FontBBox [0 -148 1001 880] /ItalicAngle 0 /Ascent 752 /Descent -271 /CapHeight 737 /StemV 58 >>'];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const at = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, '0')} 00000 n \n`;
  });
  return `${file}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}` +
    `trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
}

export function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(77);
}

/// playwright-core and the path of a Chromium, or the test is skipped.
export function findBrowser() {
  let playwright = null;
  try {
    playwright = createRequire(import.meta.url)('playwright-core');
  } catch {
    skip('playwright-core is not installed (NODE_PATH names where it is)');
  }
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
    .find((file) => file && fs.existsSync(file));
  if (!executablePath) skip('no Chromium found');
  return playwright.chromium.launch({executablePath, args: ['--no-sandbox']});
}

/// A folder with the demo manuals, a document that attacks the page, and a small set of questions.
export function makeLibrary(program) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vade-web-'));
  const manuals = path.join(folder, 'manuals');
  fs.mkdirSync(manuals);
  const source = path.join(kSource, 'data/manuals');
  for (const name of fs.readdirSync(source)) {
    if (/\.(pdf|md|html|txt|docx)$/.test(name)) fs.copyFileSync(path.join(source, name), path.join(manuals, name));
  }
  fs.writeFileSync(path.join(manuals, 'attack.md'), kAttack);
  fs.writeFileSync(path.join(manuals, 'old-ko.pdf'), koreanPdf('bbe7bfebbcb3b8edbcad'));  // 사용설명서
  const set = path.join(folder, 'questions');
  fs.mkdirSync(path.join(set, 'qrels'), {recursive: true});
  const topics = ['replacing the filter', 'descaling the boiler', 'charging the battery'];
  const lines = (row) => topics.map(row).join('\n') + '\n';
  fs.writeFileSync(path.join(set, 'corpus.jsonl'), lines((topic, i) => JSON.stringify({_id: `d${i}`, title: topic, text: `Instructions for ${topic}, step by step.`})));
  fs.writeFileSync(path.join(set, 'queries.jsonl'), lines((topic, i) => JSON.stringify({_id: `q${i}`, text: `How is ${topic} done?`})));
  fs.writeFileSync(path.join(set, 'qrels/test.tsv'), 'query-id\tcorpus-id\tscore\n' + lines((_, i) => `q${i}\td${i}\t1`));
  const env = {...process.env, VADE_STORE: path.join(folder, 'library.db'), XDG_CACHE_HOME: path.join(folder, 'cache'),
               XDG_CONFIG_HOME: path.join(folder, 'config'), XDG_DATA_HOME: path.join(folder, 'data'), XDG_STATE_HOME: path.join(folder, 'state')};
  const indexed = spawnSync(program, ['index', manuals, '-q'], {env, encoding: 'utf8'});
  if (indexed.status !== 0 && indexed.status !== 4) throw new Error(`vade index: ${indexed.stderr}`);
  return {folder, manuals, set, env};
}

/// `vade serve` on a free port. Resolves when it answers.
export async function serve(program, library, ...more) {
  const child = spawn(program, ['serve', '--port', '0', '--log', 'none', '--eval-set', `small=${library.set}`, ...more], {env: library.env});
  let output = '';
  const origin = await new Promise((resolve, reject) => {
    const read = (data) => {
      output += data;
      const found = output.match(/http:\/\/(127\.0\.0\.1|localhost):(\d+)/);
      if (found) resolve(`http://127.0.0.1:${found[2]}`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => reject(new Error(`vade serve ended with ${code}: ${output}`)));
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return {origin, stop: () => {
    child.kill('SIGTERM');
    return ended;
  }};
}

/// A server of another origin that counts who comes.
export async function foreignServer() {
  let visits = 0;
  const server = http.createServer((request, response) => {
    visits += 1;
    response.writeHead(200, {'Content-Type': 'text/javascript', 'Access-Control-Allow-Origin': '*'});
    response.end('window.pwned = "foreign";');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {origin: `http://127.0.0.1:${server.address().port}`, visits: () => visits, stop: () => server.close()};
}
