"""Lists that nobody keeps by hand: the exercises of the book."""

from docutils import nodes
from docutils.parsers.rst import Directive

from workbench.site.claims import data


class ExerciseList(Directive):
    """```{exercise-list}```: every exercise with its level and its minutes, chapter by chapter."""

    def run(self):
        env = self.state.document.settings.env
        found = nodes.bullet_list(classes=["wb-exercises"])
        for exercise in data(env)["exercises"]:
            found += _item(exercise)
        return [found if len(found) else nodes.paragraph("", "No exercises yet.")]


def _item(exercise: dict) -> nodes.list_item:
    link = nodes.reference("", f"{exercise['number']} · {exercise['title']}", refuri="", internal=True)
    link["wb_target"] = f"{exercise['page']}#{exercise['anchor']}"
    facts = nodes.inline("", f" {exercise['level']} {exercise['minutes']} min", classes=["wb-facts"])
    return nodes.list_item("", nodes.paragraph("", "", link, facts))


def setup(app):
    app.add_directive("exercise-list", ExerciseList)
