// What the page of `vade explain` adds to the style of reports.
#pragma once

#include <string_view>

namespace vade::qa {

inline constexpr std::string_view kExplainStyle = R"css(
main{counter-reset:step}
h1{overflow-wrap:anywhere}
section>h2::before{counter-increment:step;content:counter(step);display:inline-block;
width:26px;height:26px;margin-right:10px;border-radius:50%;background:var(--c0);color:var(--card);
font-size:14px;line-height:26px;text-align:center;vertical-align:2px}
.chips{display:flex;flex-wrap:wrap;gap:6px;margin:10px 0 4px;padding:0;list-style:none}
.chip{font:14px/1.3 ui-monospace,"DejaVu Sans Mono","Noto Sans Mono CJK KR",monospace;
color:var(--ink);background:var(--ground);border:1px solid var(--line);border-radius:7px;
padding:4px 8px;text-align:center;white-space:pre;max-width:100%;overflow:hidden;
text-overflow:ellipsis}
.chip small{display:block;font-size:11px}
.control{color:var(--soft);font-style:italic}
button.chip{cursor:pointer;min-width:34px;min-height:34px;
background:color-mix(in srgb,var(--c0) calc(var(--w,0)*78%),var(--ground))}
button.chip[aria-pressed=true]{outline:2px solid var(--c1);outline-offset:1px}
button.chip:disabled{opacity:.4;cursor:default}
.mono{font-family:ui-monospace,"DejaVu Sans Mono","Noto Sans Mono CJK KR",monospace;
white-space:pre;font-weight:500}
section svg.strip{width:240px;height:20px}
.strip .p{fill:var(--c0)}.strip .n{fill:var(--c1)}
.dials{display:grid;margin-bottom:12px;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:16px}
.dials svg{max-width:150px;margin:0 auto}
.dials figcaption{text-align:center;margin:2px 0 0}
.ring{fill:none;stroke:var(--line);stroke-width:2}
.hand{stroke:var(--c0);stroke-width:2.5;stroke-linecap:round}
.hand.first{stroke:var(--c1)}
.picker{display:flex;flex-wrap:wrap;gap:16px;align-items:end;margin:12px 0}
.picker label{display:grid;gap:3px;font-size:13px;color:var(--soft)}
select{font:inherit;color:var(--ink);background:var(--ground);border:1px solid var(--line);
border-radius:7px;padding:7px 10px;min-height:40px;max-width:100%}
:focus-visible{outline:2px solid var(--c1);outline-offset:2px}
.readout{min-height:1.5em;margin:8px 0;overflow-wrap:anywhere}
.maps{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:26px;align-items:start}
@media (max-width:760px){.maps{grid-template-columns:minmax(0,1fr)}
main{padding:20px 12px 40px}section{padding:14px}h1{font-size:22px}th,td{padding-right:9px}}
canvas{display:block;max-width:100%;cursor:pointer;border-radius:4px}
h3{font-size:14px;font-weight:600;margin:0 0 4px}
section svg.bar{width:130px;height:14px}
.bar rect{fill:var(--c0)}.bar .kept{fill:var(--c2)}
tr.chosen th,tr.chosen td{background:color-mix(in srgb,var(--c2) 14%,transparent)}
.cut{color:var(--soft)}
.written{font-size:17px;white-space:pre-wrap;overflow-wrap:anywhere}
mark{background:color-mix(in srgb,var(--c2) 26%,transparent);color:inherit;border-radius:3px}
.candidates{margin:0;font-size:13px;color:var(--soft)}
.candidates b{color:var(--ink);font-weight:500}
)css";

}  // namespace vade::qa
