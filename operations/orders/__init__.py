"""Orders 联动指令: one order to every department and unit that is needed, with the receipts of each."""
