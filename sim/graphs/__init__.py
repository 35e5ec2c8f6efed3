"""Graphs: workflows as they are asked for, payments and trust as they come about; on NetworkX."""
