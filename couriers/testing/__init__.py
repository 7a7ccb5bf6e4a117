"""The conformance kit, for authors of plug-ins: what every courier's plug-in must do, as tests.

A plug-in subclasses AdapterDeclarations and ReceiverConformance, which need no server, and
AdapterConformance, which needs the plug-in's stand-in for its courier (docs/writing-a-courier.md).
The platform never imports this package; it needs the extra `testing`.
"""
