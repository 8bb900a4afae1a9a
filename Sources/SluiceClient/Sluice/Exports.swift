// Channels, cursors, gaps and members are Wire's: who imports the client can name them.
@_exported public import Wire
