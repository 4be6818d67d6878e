RENAME TO other
