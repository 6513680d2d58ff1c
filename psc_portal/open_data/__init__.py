"""The catalogue of open data: pages, files and one package of everything. The datasets themselves lie in the apps."""
