"""Files of rows 表格: CSV, workbooks and JSON read into rows of named fields, in a process of its own with bounds."""
