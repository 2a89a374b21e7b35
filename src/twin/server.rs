//! The twin's sockets: one mio loop, one TLS listener per host.
