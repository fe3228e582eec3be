"""Lists the packages, which setup.cfg cannot: what stands beside `framework` is installed inside it."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

SHIPPED_FOLDERS = ("templates", "schemas", "pipelines")
SHIPPED_FILES = ("environments.yml", "docs/**/*.md", "docs/images/*")


class BuildWithFiles(build_py):
    """Ships files too that lie in no folder which could be mapped into the package."""

    def run(self):
        """Copy the packages, and the files."""
        super().run()
        # An editable installation reads them where they are.
        if not self.editable_mode:
            for path in (path for pattern in SHIPPED_FILES for path in Path().glob(pattern)):
                copy = Path(self.build_lib, "framework", path)
                copy.parent.mkdir(parents=True, exist_ok=True)
                self.copy_file(str(path), str(copy))


setup(
    packages=[
        *find_packages(include=["framework", "framework.*"]),
        *(f"framework.{folder}" for folder in SHIPPED_FOLDERS),
    ],
    package_dir={
        "framework": "framework",
        **{f"framework.{folder}": folder for folder in SHIPPED_FOLDERS},
    },
    cmdclass={"build_py": BuildWithFiles},
)
