async function s(){let{loadPyodide:r}=await import(new URL("pyodide/pyodide.mjs",self.location.href).href),[t,n]=await Promise.all([r(),fetch("quorate.zip").then(o=>o.arrayBuffer())]);return t.unpackArchive(n,"zip",{extractDir:"/quorate"}),t.runPython(`
import sys
sys.path.insert(0, "/quorate")
from quorate.explorer.playing import Playground
Playground()
`)}var i=s();self.addEventListener("message",r=>{let[t,n,...o]=r.data;i.then(e=>e[n](...o)).then(e=>[t,e,""],e=>[t,null,String(e)]).then(e=>self.postMessage(e))});
