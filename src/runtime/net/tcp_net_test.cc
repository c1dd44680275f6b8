#include "runtime/net/tcp_net.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "runtime/net/net_test_env.h"

namespace muster::runtime {
namespace {

using testing_net::NetFixture;
using testing_net::read_fully;
using testing_net::RecordingHandler;

class TcpNetTest : public NetFixture {
protected:
    using NetFixture::NetFixture;
};

TEST_F(TcpNetTest, CarriesBytesBothWays) {
    const env::ConnId conn = net->dial(address, client);
    net->send(conn, "sent while dialling, ");
    ASSERT_TRUE(run_until([&] { return client.connected.size() == 1; }));
    net->send(conn, "sent when up");
    server.then_bytes = [&](env::ConnId from, std::string_view data) {
        net->send(from, "echo:" + std::string(data));
    };
    ASSERT_TRUE(run_until([&] { return client.bytes[conn].ends_with("sent when up"); }));
    EXPECT_EQ(server.bytes[server.accepted[0]], "sent while dialling, sent when up");
    EXPECT_EQ(server.peers[0].ip, "127.0.0.1");
}

TEST_F(TcpNetTest, HandsOnBytesThatArriveOneByOne) {
    auto [peer, conn] = accepted_peer();
    for (const char c : std::string("abcdef")) {
        ASSERT_EQ(::send(peer.raw(), &c, 1, 0), 1);
        const std::size_t before = server.bytes[conn].size();
        ASSERT_TRUE(run_until([&] { return server.bytes[conn].size() > before; }));
    }
    EXPECT_EQ(server.bytes[conn], "abcdef");
}

TEST_F(TcpNetTest, KeepsTheOrderOfSplitWritesAroundBigSharedBodies) {
    auto [peer, conn] = accepted_peer(4096);
    const auto body = std::make_shared<const std::string>(3'000'000, 'B');
    std::string expected;
    for (int i = 0; i < 5; ++i) {
        const std::string head = "head" + std::to_string(i);
        const std::string tail = "tail" + std::to_string(i);
        net->send(conn, head, body, tail);
        net->send(conn, "plain");
        expected += head + *body + tail + "plain";
    }
    EXPECT_TRUE(net->congested(conn));
    EXPECT_GT(body.use_count(), 2) << "queued by reference";
    std::string got;
    std::thread reader([&, &peer = peer] { got = read_fully(peer, expected.size()); });
    ASSERT_TRUE(run_until([&] { return !server.drained.empty(); }));
    reader.join();
    EXPECT_TRUE(got == expected);
    EXPECT_EQ(net->queued_bytes(conn), 0U);
    EXPECT_FALSE(net->congested(conn));
    EXPECT_EQ(body.use_count(), 1);
}

TEST_F(TcpNetTest, ServesAThousandConnections) {
    constexpr std::size_t kCount = 1000;
    server.then_bytes = [&](env::ConnId from, std::string_view data) {
        net->send(from, std::string(data));
    };
    std::vector<env::ConnId> conns;
    for (std::size_t i = 0; i < kCount; ++i) {
        conns.push_back(net->dial(address, client));
        net->send(conns.back(), "hello " + std::to_string(i));
    }
    ASSERT_TRUE(run_until([&] {
        return std::ranges::all_of(
            conns, [&](env::ConnId conn) { return client.bytes[conn].starts_with("hello "); });
    }));
    for (std::size_t i = 0; i < kCount; ++i) {
        EXPECT_EQ(client.bytes[conns[i]], "hello " + std::to_string(i));
    }
    EXPECT_EQ(std::set(server.accepted.begin(), server.accepted.end()).size(), kCount);
    for (const env::ConnId conn : conns) {
        net->close(conn);
    }
    ASSERT_TRUE(run_until([&] { return server.closed.size() == kCount; }));
    ASSERT_TRUE(run_until([&] { return net->connection_count() == 0; }));
    EXPECT_TRUE(client.closed.empty()) << "not called after our own close()";
}

TEST_F(TcpNetTest, ClosesAPeerThatNeverReadsAndServesTheOthers) {
    auto [deaf, deaf_conn] = accepted_peer(4096);
    auto [other, other_conn] = accepted_peer();
    const auto body = std::make_shared<const std::string>(1'000'000, 'x');
    for (int i = 0; i < 200; ++i) {
        net->send(deaf_conn, "h", body, "t");
        EXPECT_TRUE(server.closed.empty()) << "no call from within send()";
        EXPECT_LE(net->queued_bytes(deaf_conn), options_.queue_hard_max_bytes);
    }
    net->send(other_conn, "still here");
    ASSERT_TRUE(run_until([&] { return server.closed.size() == 1; }));
    EXPECT_EQ(server.closed[0].first, deaf_conn);
    EXPECT_EQ(server.closed[0].second.code, Errc::over_limit);
    EXPECT_EQ(net->stats().over_queue_limit.value(), 1U);
    EXPECT_EQ(read_fully(other, 10), "still here");
    net->send(deaf_conn, "to a stale id");
    EXPECT_EQ(net->queued_bytes(deaf_conn), 0U);
    EXPECT_EQ(body.use_count(), 1);
}

TEST_F(TcpNetTest, ClosesOnlyAfterSendingWhatIsQueued) {
    auto [peer, conn] = accepted_peer(4096);
    const std::string big(5'000'000, 'q');
    net->send(conn, big);
    EXPECT_GT(net->queued_bytes(conn), 0U);
    net->close(conn);
    EXPECT_EQ(net->queued_bytes(conn), 0U) << "the id is stale";
    std::string got;
    std::thread reader([&, &peer = peer] {
        got = read_fully(peer, big.size() + 1);
        peer.reset();
    });
    ASSERT_TRUE(run_until([&] { return net->connection_count() == 0; }));
    reader.join();
    EXPECT_TRUE(got == big);
    EXPECT_TRUE(server.closed.empty());
}

TEST_F(TcpNetTest, LastWordsReachAPeerThatGoesOnSending) {
    auto [peer, conn] = accepted_peer();
    server.then_bytes = [&](env::ConnId from, std::string_view) {
        net->send(from, "too large");
        net->close(from);
    };
    const std::string flood(200'000, 'f');
    ASSERT_EQ(::send(peer.raw(), flood.data(), 1000, 0), 1000);
    ASSERT_TRUE(run_until([&] { return !server.bytes[conn].empty(); }));
    ASSERT_GT(::send(peer.raw(), flood.data(), flood.size(), MSG_DONTWAIT), 0);
    ASSERT_TRUE(run_until([&] { return net->stats().bytes_out.value() == 9; }));
    EXPECT_EQ(read_fully(peer, 100), "too large");
    peer.reset();
    ASSERT_TRUE(run_until([&] { return net->connection_count() == 0; }));
}

class TcpNetShortClose : public TcpNetTest {
protected:
    TcpNetShortClose() : TcpNetTest({.close_timeout = std::chrono::milliseconds(20)}) {}
};

TEST_F(TcpNetShortClose, GivesUpOnAPeerThatTakesNeitherBytesNorLeave) {
    auto [peer, conn] = accepted_peer(4096);
    net->send(conn, std::string(20'000'000, 'q'));
    net->close(conn);
    EXPECT_EQ(net->connection_count(), 1U);
    ASSERT_TRUE(run_until([&] { return net->connection_count() == 0; }));
}

TEST_F(TcpNetTest, TellsWhenThePeerClosesAfterItsLastBytes) {
    auto [peer, conn] = accepted_peer();
    ASSERT_EQ(::send(peer.raw(), "goodbye", 7, 0), 7);
    peer.reset();
    ASSERT_TRUE(run_until([&] { return server.closed.size() == 1; }));
    EXPECT_EQ(server.bytes[conn], "goodbye");
    EXPECT_EQ(server.closed[0].second.code, Errc::closed);
    EXPECT_EQ(net->connection_count(), 0U);
}

TEST_F(TcpNetTest, HearsTheGoodbyeOfAPeerThatResetsWhileWeSend) {
    auto [peer, conn] = accepted_peer();
    net->send(conn, "unread by the peer");
    ASSERT_EQ(::send(peer.raw(), "goodbye", 7, 0), 7);
    peer.reset();  // with unread bytes: a reset
    net->send(conn, "one");
    net->send(conn, "two");
    ASSERT_TRUE(run_until([&] { return server.closed.size() == 1; }));
    EXPECT_EQ(server.bytes[conn], "goodbye");
    EXPECT_EQ(server.closed[0].second.code, Errc::closed);
}

TEST_F(TcpNetTest, TellsThatADialWasRefused) {
    net->stop_listening(listener);
    const env::ConnId conn = net->dial(address, client);
    net->send(conn, "for nobody");
    EXPECT_TRUE(client.closed.empty());
    ASSERT_TRUE(run_until([&] { return client.closed.size() == 1; }));
    EXPECT_EQ(client.closed[0].first, conn);
    EXPECT_EQ(client.closed[0].second.code, Errc::closed);
    EXPECT_TRUE(client.connected.empty());
}

TEST_F(TcpNetTest, TellsThatAnAddressToDialIsMalformedLikeAnyFailure) {
    const env::ConnId conn = net->dial({.ip = "example.org", .port = 1}, client);
    EXPECT_TRUE(client.closed.empty());
    ASSERT_TRUE(run_until([&] { return client.closed.size() == 1; }));
    EXPECT_EQ(client.closed[0].first, conn);
    EXPECT_EQ(client.closed[0].second.code, Errc::invalid_argument);
}

TEST_F(TcpNetTest, SaysNothingOfADialThatWasClosedBefore) {
    net->close(net->dial(address, client));
    net->stop_listening(listener);
    net->close(net->dial(address, client));
    net->close(net->dial({.ip = "nonsense", .port = 1}, client));
    const env::ConnId last = net->dial(address, client);
    ASSERT_TRUE(run_until([&] { return !client.closed.empty(); }));
    EXPECT_EQ(client.closed.size(), 1U);
    EXPECT_EQ(client.closed[0].first, last);
}

class TcpNetShortDial : public TcpNetTest {
protected:
    TcpNetShortDial() : TcpNetTest({.backlog = 0, .dial_timeout = std::chrono::milliseconds(50)}) {}
};

TEST_F(TcpNetShortDial, GivesUpADialNobodyAnswers) {
    // A listener outside the loop whose backlog is full answers no further connection.
    const auto full = open_listener({.ip = "127.0.0.1", .port = 0}, 0, {});
    ASSERT_TRUE(full.has_value());
    for (int i = 0; i < 8; ++i) {
        (void)net->dial(local_address_of(full->raw()), client);
    }
    ASSERT_TRUE(run_until([&] { return !client.closed.empty(); }));
    EXPECT_EQ(client.closed[0].second.code, Errc::timeout);
}

TEST_F(TcpNetTest, SaysWhichAddressIsInUse) {
    const auto second = net->listen(address, client);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::address_in_use);
    EXPECT_NE(second.error().detail.find(env::to_string(address)), std::string::npos);
}

TEST_F(TcpNetTest, NeverTakesAStaleIdForAnotherConnection) {
    auto [first, old_conn] = accepted_peer();
    first.reset();
    ASSERT_TRUE(run_until([&] { return server.closed.size() == 1; }));
    auto [second, new_conn] = accepted_peer();
    EXPECT_EQ(static_cast<std::uint32_t>(old_conn.raw()),
              static_cast<std::uint32_t>(new_conn.raw()));
    EXPECT_NE(old_conn, new_conn);
    net->send(old_conn, "wrong");
    net->close(old_conn);
    net->send(new_conn, "right");
    EXPECT_EQ(read_fully(second, 5), "right");
}

TEST_F(TcpNetTest, LetsAHandlerCloseWithinItsCalls) {
    server.then_accepted = [&](env::ConnId conn) {
        net->send(conn, "bye");
        net->close(conn);
    };
    const env::ConnId conn = net->dial(address, client);
    ASSERT_TRUE(run_until([&] { return client.closed.size() == 1; }));
    EXPECT_EQ(client.bytes[conn], "bye");
    ASSERT_TRUE(run_until([&] { return net->connection_count() == 0; }));
}

TEST_F(TcpNetTest, AnswersManyRequestsOfOneReadWithFewWrites) {
    auto [peer, conn] = accepted_peer();
    server.then_bytes = [&](env::ConnId from, std::string_view data) {
        for (std::size_t i = 0; i < data.size(); ++i) {
            net->send(from, "0123456789");
        }
    };
    const std::string requests(20'000, 'r');
    ASSERT_EQ(::send(peer.raw(), requests.data(), requests.size(), 0), 20'000);
    std::string got;
    std::thread reader([&, &peer = peer] { got = read_fully(peer, 200'000); });
    ASSERT_TRUE(run_until([&] { return net->stats().bytes_out.value() == 200'000; }));
    reader.join();
    EXPECT_EQ(got.size(), 200'000U);
    EXPECT_LE(net->stats().writes.value(), 8U);
    EXPECT_TRUE(server.drained.empty()) << "it was never congested";
}

TEST_F(TcpNetTest, WritesWhatIsSentGatheredOnceATurnAndInItsOrder) {
    auto [first, one] = accepted_peer();
    auto [second, two] = accepted_peer();
    const auto writes = net->stats().writes.value();
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        expected += std::to_string(i) + " ";
        net->send_gathered(one, std::to_string(i) + " ");
        net->send_gathered(two, "x");
    }
    EXPECT_EQ(net->stats().writes.value(), writes);
    net->send(one, "end");  // behind what was sent before
    EXPECT_TRUE(run_until([&] { return net->queued_bytes(one) + net->queued_bytes(two) == 0; }));
    EXPECT_EQ(read_fully(first, expected.size() + 3), expected + "end");
    EXPECT_EQ(read_fully(second, 100), std::string(100, 'x'));
    EXPECT_EQ(net->stats().writes.value(), writes + 2);
}

TEST_F(TcpNetTest, WritesWhatIsSentGatheredBeforeItClosesAndNothingToWhoCameAfter) {
    auto [first, one] = accepted_peer();
    net->send_gathered(one, "last words");
    net->close(one);
    EXPECT_EQ(read_fully(first, 100), "last words");
    first.reset();
    EXPECT_TRUE(run_until([&] { return net->connection_count() == 0; }));
    auto [second, two] = accepted_peer();  // in the place of the first
    net->send_gathered(one, "stale");
    net->send_gathered(two, "hello");
    EXPECT_TRUE(run_until([&] { return net->queued_bytes(two) == 0; }));
    EXPECT_EQ(read_fully(second, 5), "hello");
}

TEST_F(TcpNetTest, MayGoWhileSomethingIsGathered) {
    auto [peer, conn] = accepted_peer();
    net->send_gathered(conn, "never written");
    net.reset();
    EXPECT_TRUE(run_until([] { return true; }));
}

TEST_F(TcpNetTest, BoundsWhatIsGatheredForAPeerThatNeverReads) {
    auto [peer, conn] = accepted_peer(4096);
    const std::string chunk(16 * 1024, 'x');
    for (std::size_t sent = 0; sent < 2 * options_.queue_hard_max_bytes && server.closed.empty();
         sent += chunk.size()) {
        net->send_gathered(conn, chunk);
    }
    EXPECT_TRUE(run_until([&] { return !server.closed.empty(); }));
    EXPECT_EQ(server.closed.front().second.code, Errc::over_limit);
    EXPECT_LE(net->queued_bytes(conn), options_.queue_hard_max_bytes);
}

TEST_F(TcpNetTest, DoesNotLetOneBusyConnectionStarveAnother) {
    auto [busy, busy_conn] = accepted_peer();
    auto [quiet, quiet_conn] = accepted_peer();
    server.keep_bytes = false;
    std::size_t busy_bytes_before_quiet = 0;
    bool quiet_heard = false;
    const env::ConnId quiet_id = quiet_conn;
    server.then_bytes = [&](env::ConnId from, std::string_view data) {
        if (from == quiet_id) {
            quiet_heard = true;
        } else if (!quiet_heard) {
            busy_bytes_before_quiet += data.size();
        }
    };
    const std::string flood(8'000'000, 'f');
    const ssize_t sent = ::send(busy.raw(), flood.data(), flood.size(), MSG_DONTWAIT);
    ASSERT_GT(sent, 300'000) << "more than one turn reads";
    ASSERT_EQ(::send(quiet.raw(), "q", 1, 0), 1);
    ASSERT_TRUE(run_until([&] { return quiet_heard; }));
    EXPECT_LE(busy_bytes_before_quiet, 2 * 256U * 1024U);
}

TEST_F(TcpNetTest, ReadsNoMoreOfAConnectionUntilItMayGoOn) {
    auto [busy, busy_conn] = accepted_peer();
    auto [quiet, quiet_conn] = accepted_peer();
    server.keep_bytes = false;
    const env::ConnId busy_id = busy_conn;
    std::size_t busy_bytes = 0;
    server.then_bytes = [&](env::ConnId from, std::string_view data) {
        if (from == busy_id) {
            busy_bytes += data.size();
            net->stop_reading(from);
        }
    };
    const std::string flood(8'000'000, 'f');
    ASSERT_GT(::send(busy.raw(), flood.data(), flood.size(), MSG_DONTWAIT), 300'000);
    busy.reset();
    ASSERT_TRUE(run_until([&] { return busy_bytes > 0; }));
    const std::size_t first = server.bytes_total;
    EXPECT_LE(first, 64U * 1024U) << "one read";
    for (int i = 0; i < 10; ++i) {
        const std::size_t before = server.bytes_total;
        ASSERT_EQ(::send(quiet.raw(), "q", 1, 0), 1);
        ASSERT_TRUE(run_until([&] { return server.bytes_total > before; }));
    }
    EXPECT_EQ(server.bytes_total, first + 10) << "the other one is read";
    EXPECT_TRUE(server.closed.empty()) << "its end comes behind what it sent";
    while (server.closed.empty()) {
        net->go_on_reading(busy_conn);
        const std::size_t before = server.bytes_total;
        ASSERT_TRUE(
            run_until([&] { return server.bytes_total > before || !server.closed.empty(); }));
    }
    EXPECT_GT(busy_bytes, 300'000U);
}

TEST_F(TcpNetTest, HearsThePeersEndAfterItsOwnAlsoWhenItReadNoMore) {
    auto [peer, conn] = accepted_peer();
    net->stop_reading(conn);
    net->close(conn);
    peer.reset();
    ASSERT_TRUE(run_until([&] { return net->connection_count() == 0; }));
}

class TcpNetCapped : public TcpNetTest {
protected:
    TcpNetCapped() : TcpNetTest({.connections_max = 2}) {}
};

TEST_F(TcpNetCapped, TurnsAwayConnectionsOverTheCap) {
    auto [a, a_conn] = accepted_peer();
    auto [b, b_conn] = accepted_peer();
    const Fd c = raw_peer();
    ASSERT_TRUE(run_until([&] { return net->stats().refused_over_cap.value() == 1; }));
    char byte = 0;
    EXPECT_LE(::recv(c.raw(), &byte, 1, 0), 0);
    a.reset();
    ASSERT_TRUE(run_until([&] { return server.closed.size() == 1; }));
    auto [d, d_conn] = accepted_peer();
    EXPECT_EQ(server.accepted.size(), 3U);
    (void)net->dial(address, client);
    ASSERT_TRUE(run_until([&] { return client.closed.size() == 1; }));
    EXPECT_EQ(client.closed[0].second.code, Errc::over_limit);
}

class TcpNetWithoutDescriptors : public TcpNetTest {
public:
    // In a process of its own: runs out of descriptors, turns peers away, serves those it has,
    // and accepts again once descriptors are back.
    void survive() {
        std::vector<Fd> peers;
        for (int i = 0; i < 8; ++i) {
            peers.push_back(raw_peer());  // in the backlog until the loop runs
        }
        std::vector<Fd> hoard;
        for (;;) {
            Fd fd(::dup(0));
            if (!fd.valid()) {
                break;
            }
            hoard.push_back(std::move(fd));
        }
        hoard.resize(hoard.size() - 3);
        const bool turned_away =
            run_until([&] { return net->stats().refused_no_descriptor.value() >= 5; });
        ASSERT_TRUE(turned_away);
        ASSERT_EQ(server.accepted.size(), 3U);
        ASSERT_EQ(::send(peers[0].raw(), "x", 1, 0), 1);
        ASSERT_TRUE(run_until([&] { return server.bytes_total == 1; }));
        char byte = 0;
        ASSERT_LE(::recv(peers[7].raw(), &byte, 1, 0), 0);
        hoard.clear();
        auto [late, conn] = accepted_peer();
        ASSERT_EQ(server.accepted.size(), 4U);
    }

protected:
    [[nodiscard]] static bool lower_limit() {
        const rlimit low{.rlim_cur = 64, .rlim_max = 64};
        return ::setrlimit(RLIMIT_NOFILE, &low) == 0;
    }
};

TEST_F(TcpNetWithoutDescriptors, TurnsPeersAwayAndKeepsServing) {
    GTEST_FLAG_SET(death_test_style, "fast");
    EXPECT_EXIT(
        {
            if (lower_limit()) {
                survive();
            }
            std::_Exit(HasFailure() ? 1 : 0);
        },
        ::testing::ExitedWithCode(0), "");
}

class MetricNames final : public MetricsWriter {
public:
    std::map<std::string, std::uint64_t, std::less<>> counters;
    std::map<std::string, std::int64_t, std::less<>> gauges;

    void counter(std::string_view name, std::string_view help, std::uint64_t value,
                 MetricLabels /*labels*/) override {
        EXPECT_FALSE(help.empty());
        counters[std::string(name)] += value;
    }
    void gauge(std::string_view name, std::string_view help, std::int64_t value,
               MetricLabels /*labels*/) override {
        EXPECT_FALSE(help.empty());
        gauges[std::string(name)] = value;
    }
    void histogram(std::string_view /*name*/, std::string_view /*help*/,
                   const HistogramView& /*histogram*/, MetricLabels /*labels*/) override {}
};

TEST_F(TcpNetTest, TellsItsNumbers) {
    auto [peer, conn] = accepted_peer();
    net->send(conn, "12345");
    MetricNames metrics;
    net->write_metrics(metrics);
    EXPECT_EQ(metrics.counters["muster_net_accepted_total"], 1U);
    EXPECT_EQ(metrics.counters["muster_net_sent_bytes_total"], 5U);
    EXPECT_EQ(metrics.gauges["muster_net_connections"], 1);
    EXPECT_EQ(metrics.gauges["muster_net_queued_bytes"], 0);
}

}  // namespace
}  // namespace muster::runtime
