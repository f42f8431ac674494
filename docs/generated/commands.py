"""Which commands and options are there?  Read from the Typer app of the command line."""

from pathlib import Path
from typing import Any

import typer

from simulator.cli.command_line import app


def commands(folder: Path) -> str:
    """A section for every command: what it does, its arguments and its options."""
    program: Any = typer.main.get_command(app)
    return "\n\n".join(_section(name, command) for name, command in program.commands.items())


def _section(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([f"straggle {name}", "[OPTIONS]", *map(_placeholder, arguments)])
    about = " ".join((command.help or "").split())
    rows = [
        f"| {_names(each)} | {_escaped(_help(each))} |"
        for each in command.params
        if not getattr(each, "hidden", False) and "--help" not in each.opts
    ]
    head = "| argument or option | meaning |\n| --- | --- |\n"
    return f"### {name}\n\n{about}\n\n```text\n{usage}\n```\n\n{head}" + "\n".join(rows)


def _placeholder(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.is_flag:
        return ", ".join(f"`{name}`" for name in names)
    return ", ".join(f"`{name} {parameter.metavar or 'N'}`" for name in names)


def _help(parameter: Any) -> str:
    return " ".join((parameter.help or "").split())


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("[", "\\[")
