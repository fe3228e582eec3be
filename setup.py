"""Lists the packages, which setup.cfg cannot: what stands beside `framework` is installed inside it."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

SHIPPED_FOLDERS = ("templates", "schemas", "pipelines")
SHIPPED_FILE = "environments.yml"


class BuildWithEnvironments(build_py):
    """Ships `environments.yml` too, which lies in no folder that could be mapped into the package."""

    def run(self):
        """Copy the packages, and the file."""
        super().run()
        # An editable installation reads it where it is.
        if not self.editable_mode:
            self.copy_file(SHIPPED_FILE, str(Path(self.build_lib, "framework", SHIPPED_FILE)))


setup(
    packages=[
        *find_packages(include=["framework", "framework.*"]),
        *(f"framework.{folder}" for folder in SHIPPED_FOLDERS),
    ],
    package_dir={
        "framework": "framework",
        **{f"framework.{folder}": folder for folder in SHIPPED_FOLDERS},
    },
    cmdclass={"build_py": BuildWithEnvironments},
)
