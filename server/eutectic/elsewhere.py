"""`python -P elsewhere.py MODULE ARGUMENTS...`: run a module of this package with another Python.

Or a program, whose name ends in `.py`, that imports this package.

That Python's environment has the packages that the module needs, and perhaps another version of
this one.
"""

import importlib
import importlib.util
import runpy
import sys
from pathlib import Path

package = Path(__file__).parent
sys.path.append(str(package.parent))  # holds what is known of this version
spec = importlib.util.spec_from_file_location(
    package.name, package / "__init__.py", submodule_search_locations=[str(package)]
)
assert spec is not None
assert spec.loader is not None
module = sys.modules[package.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
vars(importlib.import_module(f"{package.name}.environment"))["is_elsewhere"] = True
del sys.argv[0]
if sys.argv[0].endswith(".py"):
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
