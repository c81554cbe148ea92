// Loads the larger libraries when they are first needed. Each comes from this server; one that was
// not built in gives null, and the page does without it.

const kFiles = {pdf: '/vendor/pdf.js', worker: '/vendor/pdf.worker.js', chart: '/vendor/chart.js'};

// Where Trusted Types are enforced, script addresses must come from a policy: ours knows these files.
const policy = globalThis.trustedTypes?.createPolicy('vade', {
  createScriptURL(url) {
    if (Object.values(kFiles).includes(url)) return url;
    throw new TypeError(`not a script of this page: ${url}`);
  },
});
const address = (name) => (policy ? policy.createScriptURL(kFiles[name]) : kFiles[name]);

const loaded = new Map();

function load(name, global) {
  if (!loaded.has(name)) {
    loaded.set(name, new Promise((resolve) => {
      const script = document.createElement('script');
      script.src = address(name);
      script.onload = () => resolve(globalThis[global] ?? null);
      script.onerror = () => resolve(null);
      document.head.append(script);
    }));
  }
  return loaded.get(name);
}

/// pdf.js, or null.
export const loadPdf = () => load('pdf', 'pdfjsLib');
/// Chart.js, or null.
export const loadChart = () => load('chart', 'Chart');
/// A worker thread for pdf.js.
export const startPdfWorker = () => new Worker(address('worker'));
