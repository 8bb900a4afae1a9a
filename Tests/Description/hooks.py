"""What of a description cannot be said in it, and what a test of a living cluster must leave alone."""

import schemathesis


def references(node):
    """The names of the schemas that something refers to, however deep."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rsplit("/", 1)[-1]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def close(schema):
    """Nothing that is not described may be in an answer; clients are told to expect it all the same."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("properties"):
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            close(value)
    elif isinstance(schema, list):
        for value in schema:
            close(value)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    schemas = raw_schema["components"]["schemas"]
    asked = set()
    found = {
        name
        for path in raw_schema["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
        for name in references(operation.get("requestBody"))
    }
    while found - asked:
        asked |= found
        found = {inner for name in found if name in schemas for inner in references(schemas[name])}
    for name in schemas.keys() - asked:
        close(schemas[name])


@schemathesis.hook
def before_call(context, case, kwargs):
    """The last word on each request."""
    path = case.operation.path
    query = case.query
    # Each is right, and both together are not: a description has no words for this.
    if path.endswith("/messages") and case.meta.generation.mode.is_positive:
        if "since" in query and "before" in query:
            del query["before"]
    # A poll that may be held would be: one that asks for a second is, the others are not.
    if path == "/v1/poll" and "wait" not in query:
        query["wait"] = 0
    elif path == "/v1/poll" and str(query["wait"]) in map(str, range(2, 56)):
        query["wait"] = 0
    # No node of the cluster is drained.
    if path.endswith("/drain"):
        case.path_parameters["node"] = "nobody"
