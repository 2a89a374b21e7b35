//! One TLS connection over a non-blocking socket.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::os::TcpOption;

/// How the system watches a connection by itself. Behind a CDN its edge answers for the venue, so this finds a broken
/// path and not a venue that stands still: that the sessions' own pings and the requests' time-outs do. Bytes of an
/// order that nobody acknowledges are not kept and sent minutes later. Source: `tuning.md` §6.3, 2026-11-20.
const WATCH: [(TcpOption, u32); 5] = [
    (TcpOption::KeepAlive, 1),
    (TcpOption::KeepIdleS, 10),
    (TcpOption::KeepEveryS, 2),
    (TcpOption::KeepCount, 3),
    (TcpOption::UserTimeoutMs, 10_000),
];

/// How far the connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Handshaking,
    Open,
}

/// A TLS connection that never blocks. Readiness is told by [`TlsStream::on_ready`] (mio reports edges, so it
/// is kept here until the socket says it is exhausted); nothing but the owner's poll is ever waited for.
#[derive(Debug)]
pub struct TlsStream {
    sock: TcpStream,
    tls: ClientConnection,
    phase: Phase,
    readable: bool,
    writable: bool,
    /// The poll said that the peer has hung up: what it sent before may still be unread, and no further edge
    /// will tell.
    hung_up: bool,
    closed: bool,
}

impl TlsStream {
    /// Starts to connect and registers for readiness under `token`.
    ///
    /// # Errors
    /// What the operating system says at once; the rest comes from [`TlsStream::drive`].
    pub fn connect(
        config: &Arc<ClientConfig>,
        name: &ServerName<'static>,
        addr: SocketAddr,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut sock = TcpStream::connect(addr)?;
        sock.set_nodelay(true)?;
        for (option, number) in WATCH {
            option.set(sock.as_fd(), number)?;
        }
        registry.register(&mut sock, token, Interest::READABLE | Interest::WRITABLE)?;
        let tls =
            ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
        let phase = Phase::Connecting;
        let (readable, writable, hung_up, closed) = (false, false, false, false);
        Ok(Self { sock, tls, phase, readable, writable, hung_up, closed })
    }

    /// The poll reported this.
    pub fn on_ready(&mut self, event: &Event) {
        self.hung_up |= event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || self.hung_up;
        self.writable |= event.is_writable() || event.is_error();
    }

    /// Whether a turn could get anywhere: the poll reported something, or there is something left to do.
    pub fn is_ready(&self) -> bool {
        self.readable || (self.writable && self.tls.wants_write())
    }

    /// Whether application data may flow.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open && !self.closed
    }

    /// Moves connect and handshake on as far as the socket lets them. `true` once the connection is open.
    ///
    /// # Errors
    /// The connection failed, or the certificate is not trusted: the stream is of no further use.
    pub fn drive(&mut self) -> io::Result<bool> {
        if self.phase == Phase::Connecting {
            if !self.writable && !self.readable {
                return Ok(false);
            }
            if let Some(error) = self.sock.take_error()? {
                return Err(error);
            }
            match self.sock.peer_addr() {
                Ok(_) => self.phase = Phase::Handshaking,
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        if self.phase == Phase::Handshaking {
            self.flush_tls()?;
            while self.tls.is_handshaking() && self.readable {
                if self.fill()? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.flush_tls()?;
            }
            if !self.tls.is_handshaking() && !self.tls.wants_write() {
                self.phase = Phase::Open;
            }
        }
        Ok(self.phase == Phase::Open)
    }

    /// Encrypts `bytes` without touching the socket.
    ///
    /// # Errors
    /// More is waiting than a connection of ours may hold.
    pub fn stage(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tls.writer().write_all(bytes)
    }

    /// Whether encrypted bytes wait for the socket.
    pub fn has_staged(&self) -> bool {
        self.tls.wants_write()
    }

    /// Hands staged bytes to the kernel with one call; how many it took.
    ///
    /// # Errors
    /// `WouldBlock` where the socket's buffer is full, and whatever broke the connection.
    pub fn write_staged(&mut self) -> io::Result<usize> {
        let wrote = self.tls.write_tls(&mut self.sock);
        if let Err(error) = &wrote
            && error.kind() == io::ErrorKind::WouldBlock
        {
            self.writable = false;
        }
        wrote
    }

    /// Takes the socket out of the poll; the connection is then dropped.
    pub fn close(mut self, registry: &Registry) {
        let _ = registry.deregister(&mut self.sock); // closing it takes it out as well
    }

    fn flush_tls(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.write_staged() {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once from the socket and decrypts; 0 is the end of the stream.
    fn fill(&mut self) -> io::Result<usize> {
        let mut once = Once { sock: &mut self.sock, short: false };
        let read = self.tls.read_tls(&mut once);
        let blocked = matches!(&read, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if blocked || (once.short && !self.hung_up) {
            self.readable = false;
        }
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock
                    && error.kind() != io::ErrorKind::Interrupted
                {
                    self.closed = true;
                }
                return Err(error);
            }
        };
        if let Err(error) = self.tls.process_new_packets() {
            self.closed = true;
            let _ = self.tls.write_tls(&mut self.sock); // the alert; the connection is gone either way
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(read)
    }
}

/// Sees whether a read emptied the socket. A short read of a stream socket says so (epoll(7), question 9), and
/// saves the second call that would only answer `EAGAIN`. What comes later, the end included, is an edge of its
/// own; what was there already when the poll reported an end is not, so then a short read says nothing.
struct Once<'a> {
    sock: &'a mut TcpStream,
    short: bool,
}

impl Read for Once<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.sock.read(buf);
        self.short = matches!(&read, Ok(read) if *read > 0 && *read < buf.len());
        read
    }
}

impl Read for TlsStream {
    /// `Ok(0)` is an orderly end; an end without TLS's close notice is `UnexpectedEof`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(buf) {
                Ok(0) => {
                    self.closed = true;
                    return Ok(0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    self.closed = true;
                    return Err(error);
                }
                done => return done,
            }
            if !self.readable {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            match self.fill() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.tls.wants_write() {
                self.flush_tls()?; // a key update wants its answer
            }
        }
    }
}

impl Write for TlsStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.tls.writer().write(buf)?;
        self.flush_tls()?;
        if taken == 0 && !buf.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_tls()?;
        if self.tls.wants_write() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Trust, client_config};

    #[test]
    fn the_system_watches_every_connection() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let poll = mio::Poll::new().unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let (config, addr) = (client_config(&Trust::Public), listener.local_addr().unwrap());
        let stream = TlsStream::connect(&config, &name, addr, poll.registry(), Token(0)).unwrap();
        assert!(stream.sock.nodelay().unwrap());
        for (option, number) in WATCH {
            assert_eq!(option.get(&stream.sock).unwrap(), number, "{option:?}, read back");
        }
        assert!(TcpOption::KeepCount.set(stream.sock.as_fd(), u32::MAX).is_err());
    }
}
