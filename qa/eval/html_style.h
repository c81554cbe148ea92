// Style sheet of the HTML report. Colours are chosen to be told apart by colour-blind readers
// (Okabe and Ito) and on light and dark ground.
#pragma once

#include <string_view>

namespace vade::qa::eval {

inline constexpr std::string_view kReportStyle = R"css(
:root{--ground:#fbfbf9;--card:#fff;--ink:#1d2327;--soft:#626b73;--line:#e3e4e0;
--c0:#0072b2;--c1:#d98200;--c2:#009e73;--c3:#b4588f;--c4:#56a0d3;--c5:#8a6d3b;
--gain:#009e73;--loss:#d55e00;--warn:#fff3d6}
@media (prefers-color-scheme:dark){:root{--ground:#15181b;--card:#1d2125;--ink:#e6e8ea;
--soft:#9aa4ad;--line:#31373d;--c0:#4da6e0;--c1:#f0a830;--c2:#2cc49a;--c3:#d687b6;--c4:#8cc4ea;
--c5:#c2a36b;--gain:#2cc49a;--loss:#f0803c;--warn:#3a3118}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK KR",sans-serif}
main{max-width:1060px;margin:0 auto;padding:32px 20px 60px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:18px;margin:0 0 4px}
.brand{margin:0;color:var(--soft);font-size:13px;letter-spacing:.04em}
.note,footer,figcaption{color:var(--soft);font-size:13px;margin:0 0 12px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:20px;margin:18px 0}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px;margin:20px 0 0}
.card{background:var(--card);border:1px solid var(--line);border-top:4px solid;border-radius:10px;
padding:14px 18px}
.card .name{margin:0;font-weight:600}
.card .name b{font-size:11px;font-weight:600;color:var(--card);background:var(--gain);
border-radius:20px;padding:2px 8px;margin-left:6px;vertical-align:2px}
.card .figure{margin:2px 0;font-size:34px;font-weight:650;font-variant-numeric:tabular-nums;
letter-spacing:-.02em}
.card .note{margin:0}
.edge0{border-top-color:var(--c0)}.edge1{border-top-color:var(--c1)}
.edge2{border-top-color:var(--c2)}.edge3{border-top-color:var(--c3)}
.edge4{border-top-color:var(--c4)}.edge5{border-top-color:var(--c5)}
.warning{background:var(--warn);border-radius:8px;padding:8px 14px;margin:10px 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:14px;margin:4px 0 14px;min-width:50%}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--soft);font-weight:500;font-size:13px}
tbody th{font-weight:500}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.top{font-weight:700}
sup{color:var(--soft);font-size:10px;margin-left:1px;font-weight:400}
.legend{display:flex;flex-wrap:wrap;gap:16px;margin:6px 0;font-size:13px;color:var(--soft)}
.swatch{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:22px}
figure{margin:0}figcaption{margin:0 0 4px}
svg{width:100%;height:auto;display:block}
section>svg{max-width:760px}
svg text{font-size:12px;fill:var(--soft)}
.pair svg text{font-size:15px}
.end{text-anchor:end}.mid{text-anchor:middle}
.grid{stroke:var(--line)}.zero{stroke:var(--soft)}
.whisker{stroke:var(--ink);fill:none;opacity:.65}
rect.gain{fill:var(--gain)}rect.loss{fill:var(--loss)}
.arm0{fill:var(--c0);background:var(--c0)}.arm1{fill:var(--c1);background:var(--c1)}
.arm2{fill:var(--c2);background:var(--c2)}.arm3{fill:var(--c3);background:var(--c3)}
.arm4{fill:var(--c4);background:var(--c4)}.arm5{fill:var(--c5);background:var(--c5)}
.line0,.line1,.line2,.line3,.line4,.line5{fill:none;stroke-width:2;stroke-linejoin:round}
.line0{stroke:var(--c0)}.line1{stroke:var(--c1)}.line2{stroke:var(--c2)}
.line3{stroke:var(--c3)}.line4{stroke:var(--c4)}.line5{stroke:var(--c5)}
.area0{fill:var(--c0)}.area1{fill:var(--c1)}.area2{fill:var(--c2)}
.area3{fill:var(--c3)}.area4{fill:var(--c4)}.area5{fill:var(--c5)}
[class*=area]{fill-opacity:.14}
.confusion td{font-size:22px;font-weight:650;padding:10px 18px;text-align:right}
.confusion .right{color:var(--gain)}.confusion .wrong{color:var(--loss)}
.meter{width:45%}.meter i{display:block;height:12px;border-radius:3px;margin-top:5px}
.meter .gain{background:var(--gain)}.meter .loss{background:var(--loss)}
.hard{width:100%}.hard td{min-width:150px}.hard td:first-child{min-width:0}
.hard ul,.hard ol{margin:0;padding-left:18px}
code{font:12px ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
small{color:var(--soft)}
footer{margin-top:24px}
@media print{body{background:#fff}section{break-inside:avoid}}
)css";

}  // namespace vade::qa::eval
