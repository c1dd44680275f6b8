#include "runtime/net/sockets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace muster::runtime {
namespace {

int option(const Fd& fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(fd.raw(), level, name, &value, &size), 0);
    return value;
}

void expect_connection_options(const Fd& fd) {
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 5);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 3);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 14'000);
}

TEST(Sockets, BothEndsNoticeASilentPeerAndDoNotDelaySmallWrites) {
    const auto listener = open_listener({.ip = "127.0.0.1", .port = 0}, 16, {});
    ASSERT_TRUE(listener.has_value());
    const auto dialling = open_dialling(local_address_of(listener->raw()), "", {});
    ASSERT_TRUE(dialling.has_value());
    expect_connection_options(*dialling);
    pollfd waiting{.fd = listener->raw(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waiting, 1, 5000), 1);
    const auto accepted = accept_one(listener->raw());
    ASSERT_TRUE(accepted.has_value());
    expect_connection_options(accepted->fd);
    EXPECT_TRUE(dialling_outcome(dialling->raw()).has_value());
}

TEST(Sockets, DialsFromTheAddressItIsTold) {
    const auto listener = open_listener({.ip = "127.0.0.1", .port = 0}, 16, {});
    ASSERT_TRUE(listener.has_value());
    const env::SocketAddress at = local_address_of(listener->raw());
    const auto dialling = open_dialling(at, "127.0.5.1", {});
    ASSERT_TRUE(dialling.has_value());
    pollfd waiting{.fd = listener->raw(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waiting, 1, 5000), 1);
    const auto accepted = accept_one(listener->raw());
    ASSERT_TRUE(accepted.has_value());
    EXPECT_EQ(accepted->peer.ip, "127.0.5.1");
    EXPECT_TRUE(open_dialling(at, "::1", {}).has_value());  // of another family: not minded
    EXPECT_EQ(open_dialling(at, "192.0.2.1", {}).error().code, Errc::unavailable);  // not ours
}

TEST(Sockets, TellsTheAddressItHasTowardsAnother) {
    EXPECT_EQ(local_ip_towards({.ip = "127.0.0.1", .port = 9610}), "127.0.0.1");
    EXPECT_FALSE(local_ip_towards({.ip = "nowhere", .port = 9610}).has_value());
}

TEST(Sockets, ADualStackListenerNamesIpv4PeersByTheirIpv4Address) {
    const auto listener = open_listener({.ip = "::", .port = 0}, 16, {});
    ASSERT_TRUE(listener.has_value());
    const std::uint16_t port = local_address_of(listener->raw()).port;
    const auto dialling = open_dialling({.ip = "127.0.0.1", .port = port}, "", {});
    ASSERT_TRUE(dialling.has_value());
    pollfd waiting{.fd = listener->raw(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waiting, 1, 5000), 1);
    const auto accepted = accept_one(listener->raw());
    ASSERT_TRUE(accepted.has_value());
    EXPECT_EQ(accepted->peer.ip, "127.0.0.1");
}

TEST(Sockets, RefusesASocketThatConnectedToItself) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in self{};
    self.sin_family = AF_INET;
    self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(fd.raw(), reinterpret_cast<const sockaddr*>(&self), sizeof self), 0);
    socklen_t size = sizeof self;
    ASSERT_EQ(::getsockname(fd.raw(), reinterpret_cast<sockaddr*>(&self), &size), 0);
    ASSERT_EQ(::connect(fd.raw(), reinterpret_cast<const sockaddr*>(&self), sizeof self), 0);
    const auto outcome = dialling_outcome(fd.raw());
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, Errc::closed);
}

TEST(Sockets, NamesTheAddressThatIsInUse) {
    const auto first = open_listener({.ip = "127.0.0.1", .port = 0}, 16, {});
    ASSERT_TRUE(first.has_value());
    const env::SocketAddress taken = local_address_of(first->raw());
    const auto second = open_listener(taken, 16, {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::address_in_use);
    EXPECT_NE(second.error().detail.find(env::to_string(taken)), std::string::npos);
}

TEST(Sockets, RefusesAddressesThatAreNotNumericOrNotOurs) {
    for (const char* ip : {"localhost", "1.2.3", "::g", "192.0.2.1"}) {
        const auto listener = open_listener({.ip = ip, .port = 0}, 16, {});
        ASSERT_FALSE(listener.has_value()) << ip;
        EXPECT_EQ(listener.error().code, Errc::invalid_argument) << ip;
        EXPECT_NE(listener.error().detail.find(ip), std::string::npos) << listener.error().detail;
    }
}

}  // namespace
}  // namespace muster::runtime
