"""The wwi world: Wide World Importers, Microsoft's sample wholesaler, replayed into the ERP's tables."""
