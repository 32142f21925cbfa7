// stdin: JSON list of {tex, display}; stdout: JSON {css, html: [...]}.  argv[2]: the mathjax package.
const path = require("path");
const { init } = require(path.join(process.argv[2], "es5", "node-main.js"));
const load = ["input/tex-full", "output/svg", "a11y/assistive-mml"];
init({ loader: { load }, svg: { fontCache: "none" } }).then(MathJax => {
  const { adaptor } = MathJax.startup;
  const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const html = formulas.map(({ tex, display }) => adaptor.outerHTML(MathJax.tex2svg(tex, { display })));
  const css = adaptor.textContent(MathJax.svgStylesheet());
  process.stdout.write(JSON.stringify({ css, html }));
}).catch(problem => { console.error(String(problem)); process.exit(1); });
