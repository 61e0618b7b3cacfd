#!/usr/bin/env python3
"""Writes manual pages (mdoc) from what a command says of itself: one of the whole, and one of each subcommand.

    triptych --experimental-dump-help | deploy/manual.py FOLDER [VERSION]
"""
import json
import pathlib
import sys

# What the pages of all commands say at their end.
SEE = {"serve": "Every key of the configuration is in\n.Pa /etc/triptych/triptych.yaml .\n"}
FILES = """.Sh ENVIRONMENT
.Bl -tag -width Ds
.It Ev TRIPTYCH_URL
The server that commands speak with.
.It Ev TRIPTYCH_KEY , TRIPTYCH_KEY_FILE
The key that they send, or a file that has it.
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/triptych/triptych.yaml
The configuration of the service.
.It Pa /var/lib/triptych
Its model, its database and what it keeps beside that.
.It Pa /usr/share/triptych/recipes
Recipes to train by.
.El
"""


def text(words):
    """Running text: what roff would take for its own is escaped."""
    lines = words.replace("\\", "\\e").replace("-", "\\-").splitlines()
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def paragraphs(words):
    """As the help has it: indented lines are an example."""
    made, literal = [], False
    for line in words.rstrip().splitlines():
        example = line.startswith("  ")
        if example != literal:
            made.append(".Bd -literal -offset indent" if example else ".Ed")
            literal = example
        if not line.strip():
            made.append("" if literal else ".Pp")
        else:
            made += [text(line[2:] if literal else line)]
    if literal:
        made.append(".Ed")
    return "\n".join(line for at, line in enumerate(made) if line != ".Pp" or at + 1 < len(made) and not made[at + 1].startswith(".")) + "\n"


def flag(name):
    return ("" if name["kind"] != "long" else "-") + name["name"]


def option(argument):
    names = " , ".join(f"Fl {text(flag(name))}" for name in argument["names"])
    return names if argument["kind"] == "flag" else f"{names} Ar {text(argument['valueName'])}"


def synopsis(argument):
    if argument["kind"] == "positional":
        shown = f"Ar {text(argument['valueName'])}"
    else:
        shown = f"Fl {text(flag(argument['preferredName']))}"
        if argument["kind"] == "option":
            shown += f" Ar {text(argument['valueName'])}"
    shown += " ..." if argument["isRepeating"] else ""
    return f".Op {shown}\n" if argument["isOptional"] else f".{shown}\n"


def explained(argument):
    said = argument.get("abstract", "")
    if "defaultValue" in argument and "default:" not in said:
        said = f"{said.rstrip('.')} (default: {argument['defaultValue']})."
    if argument.get("allValues"):
        said += f" One of {', '.join(argument['allValues'])}."
    if "discussion" in argument:
        said += f"\n{argument['discussion']}"
    name = f"Ar {text(argument['valueName'])}" if argument["kind"] == "positional" else option(argument)
    return f".It {name}\n{paragraphs(said.strip()) if said.strip() else ''}"


def shown(arguments):
    return [one for one in arguments if one["shouldDisplay"] and one["valueName"] not in ("help", "version")]


def command(name, described, level):
    """The synopsis, what it is, and its arguments; then those of its subcommands."""
    arguments = shown(described.get("arguments", []))
    subcommands = [one for one in described.get("subcommands", []) if one["commandName"] != "help"]
    made = f".{level} {text(name)}\n" if level == "Ss" else ""
    if not subcommands:
        made += f".Nm {text(name)}\n" + "".join(map(synopsis, arguments))
    if level == "Sh":
        made = f".Sh SYNOPSIS\n{made or f'.Nm {text(name)}{chr(10)}.Ar subcommand{chr(10)}'}.Sh DESCRIPTION\n"
    else:
        made += ".Pp\n"
    made += paragraphs(described.get("abstract", "") + "\n" + described.get("discussion", ""))
    if arguments and not subcommands:
        made += ".Bl -tag -width Ds\n" + "".join(map(explained, arguments)) + ".El\n"
    return made + "".join(command(f"{name} {one['commandName']}", one, "Ss") for one in subcommands)


def page(title, abstract, body, version):
    head = f".Dd $Mdocdate$\n.Dt {title.upper()} 1\n.Os Triptych {version}\n.Sh NAME\n.Nm {title}\n"
    return f"{head}.Nd {text(abstract.rstrip('.'))}\n{body}"


def main():
    folder, version = pathlib.Path(sys.argv[1]), (sys.argv + [""])[2]
    folder.mkdir(parents=True, exist_ok=True)
    whole = json.load(sys.stdin)["command"]
    commands = [one for one in whole["subcommands"] if one["commandName"] != "help"]
    body = ".Sh SYNOPSIS\n.Nm triptych\n.Ar command\n.Op Ar argument ...\n.Sh DESCRIPTION\n" + paragraphs(whole["discussion"])
    body += ".Bl -tag -width Ds\n"
    for one in commands:
        body += f".It Xr triptych-{one['commandName']} 1\n{text(one['abstract'])}\n"
    (folder / "triptych.1").write_text(page("triptych", whole["abstract"], f"{body}.El\n{FILES}", version))
    for one in commands:
        name = one["commandName"]
        body = command(f"triptych {name}", one, "Sh") + SEE.get(name, "") + ".Sh SEE ALSO\n.Xr triptych 1\n"
        (folder / f"triptych-{name}.1").write_text(page(f"triptych-{name}", one["abstract"], body, version))


if __name__ == "__main__":
    main()
