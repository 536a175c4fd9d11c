"""The command line: ``study``, also installed as a plug-in of kubectl."""
