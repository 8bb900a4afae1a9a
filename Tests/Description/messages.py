"""Whether messages are what a description says of them.

`messages.py DESCRIPTION MESSAGES`: each line of the second file is the name of a schema, a tab, and a message. Says what
is wrong, and exits with 1 when something is.
"""

import json
import sys

import jsonschema_rs

from hooks import close


def faults(components, name, message):
    """The schema of the message's own type says more than that of all of them."""
    mapping = components["schemas"][name]["discriminator"]["mapping"]
    if message.get("type") not in mapping:
        return [f"{name} has no {message.get('type')}"]
    validator = jsonschema_rs.Draft202012Validator({"$ref": mapping[message["type"]], "components": components})
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(message)]


with open(sys.argv[1]) as description:
    components = json.load(description)["components"]
close(components["schemas"])
found = 0
with open(sys.argv[2]) as messages:
    for line in messages:
        name, text = line.split("\t", 1)
        for fault in faults(components, name, json.loads(text)):
            print(f"{text.strip()}\n  {fault}")
            found += 1
sys.exit(1 if found else 0)
