"""Runs the code cells of a notebook in their order, as Jupyter would, and prints tables that it made as JSON.

    run_notebook.py NOTEBOOK NAME...

NAMEs are variables that are data frames. The result also has, for each chart that was shown, the number of lines,
points and bars in it.
"""

import json
import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

charts = []


def show():
    for number in plt.get_fignums():
        figure = plt.figure(number)
        figure.canvas.draw()
        axes = figure.get_axes()
        charts.append([[len(a.get_lines()), sum(len(c.get_offsets()) for c in a.collections), len(a.patches)] for a in axes])
        plt.close(figure)


path, *names = sys.argv[1:]
with open(path) as file:
    notebook = json.load(file)
os.chdir(os.path.dirname(path))
plt.show = show
space = {"__name__": "__main__"}
for cell in notebook["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
tables = {name: json.loads(space[name].to_json(orient="records", double_precision=15)) for name in names}
json.dump({"tables": tables, "charts": charts}, sys.stdout)
