"""Whose book this is: one file, `book/owner.yml`, that nothing else repeats."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import yaml

from workbench.errors import WorkbenchError
from workbench.layout import Layout


@dataclass(frozen=True)
class Owner:
    """Name and addresses that pages, feed and links are made with."""

    name: str
    repository: str  # https://host/user/name, no slash at the end
    branch: str
    site: str  # https://host/path/, with a slash at the end
    since: int

    @property
    def slug(self) -> str:
        """ "user/name" of the repository."""
        return urlsplit(self.repository).path.strip("/")

    @property
    def base_path(self) -> str:
        """The folder the site lives in on its host: "https://me.github.io/book/" → "/book/"."""
        return urlsplit(self.site).path or "/"

    def source(self, path: str) -> str:
        """The address of a file of the repository."""
        return f"{self.repository}/blob/{self.branch}/{path}"

    def binder(self, path: str) -> str:
        return f"https://mybinder.org/v2/gh/{self.slug}/{self.branch}?urlpath=lab/tree/{path}"

    def colab(self, path: str) -> str:
        return f"https://colab.research.google.com/github/{self.slug}/blob/{self.branch}/{path}"


def read(layout: Layout) -> Owner:
    """The owner's data.  Raises WorkbenchError that names the missing field."""
    path = layout.book / "owner.yml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Owner(
            name=str(data["name"]),
            repository=str(data["repository"]).rstrip("/"),
            branch=str(data["branch"]),
            site=str(data["site"]).rstrip("/") + "/",
            since=int(data["since"]),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as problem:
        raise WorkbenchError(
            f"book/owner.yml cannot be used: {problem!r}", "it needs name, repository, branch, site, since"
        ) from None
