#include "doors/bolt/bolt_port.h"

#include <gtest/gtest.h>

#include "doors/bolt/fakes_for_test.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

constexpr env::ConnId kConn{1};
constexpr env::ConnId kOther{2};

// Remembers what it is given; closes the connection on a frame of class "close".
class FakeConversation final : public bolt::FrameConversation {
public:
    void on_open(env::ConnId conn, const env::SocketAddress& peer, bolt::FramePort& port) override {
        log.push_back("open " + std::to_string(conn.raw()) + " " + env::to_string(peer));
        port_ = &port;
    }
    void on_frame(env::ConnId conn, const bolt::Frame& frame) override {
        log.push_back("frame " + std::string(frame.class_name));
        if (frame.class_name == "close") {
            port_->close(conn, {Errc::refused, "as asked"});
        }
    }
    void on_drained(env::ConnId /*conn*/) override {
        log.emplace_back("drained");
    }
    void on_closed(env::ConnId conn) override {
        log.push_back("closed " + std::to_string(conn.raw()));
    }

    Duration idle_max() const override {
        return idle;
    }

    std::vector<std::string> log;
    Duration idle{};

private:
    bolt::FramePort* port_ = nullptr;
};

class BoltPortTest : public testing::Test {
protected:
    BoltPortTest() {
        port.serve(bolt::kCodecHessian, hessian);
        port.serve(bolt::kCodecProtobuf, native);
        EXPECT_TRUE(port.listen({"127.0.0.1", 9600}).has_value());
    }

    static std::string frame(std::string_view class_name, std::uint8_t codec = bolt::kCodecHessian,
                             std::string_view content = "") {
        std::string bytes;
        bolt::append_frame(bytes, {.head = {.request_id = 5, .codec = codec},
                                   .class_name = class_name,
                                   .content = content});
        return bytes;
    }
    void accept(env::ConnId conn, std::string ip = "10.0.0.1") {
        port.on_accepted(conn, {std::move(ip), 4000});
    }

    static constexpr BoltPortOptions kOptions{.frame_limits = {.frame_bytes_max = 1000},
                                              .connections_max = 4,
                                              .connections_per_ip_max = 3,
                                              .buffered_bytes_max = 1500};
    fakes::FakeNet net;
    fakes::FakeClock clock;
    fakes::FakeTimers timers;
    FakeConversation hessian;
    FakeConversation native;
    BoltPort port{kOptions, net, clock, timers, Log()};
};

TEST_F(BoltPortTest, SaysWhichAddressCannotBeListenedAt) {
    const auto listened = port.listen({"127.0.0.1", 1});
    ASSERT_FALSE(listened.has_value());
    EXPECT_EQ(to_string(listened.error()), "address already in use: listen at 127.0.0.1:1: bind");
}

TEST_F(BoltPortTest, GivesAConnectionToTheConversationOfItsFirstCodec) {
    accept(kConn);
    accept(kOther);
    port.on_bytes(kConn, frame("a"));
    port.on_bytes(kOther, frame("b", bolt::kCodecProtobuf));
    port.on_drained(kOther);
    port.on_closed(kConn, {Errc::closed, ""});
    EXPECT_EQ(hessian.log,
              (std::vector<std::string>{"open 1 10.0.0.1:4000", "frame a", "closed 1"}));
    EXPECT_EQ(native.log, (std::vector<std::string>{"open 2 10.0.0.1:4000", "frame b", "drained"}));
    EXPECT_EQ(port.connections(), 1U);
}

TEST_F(BoltPortTest, ReadsFramesThatArriveByteByByte) {
    accept(kConn);
    for (const char byte : frame("a") + frame("b")) {
        port.on_bytes(kConn, {&byte, 1});
    }
    EXPECT_EQ(hessian.log.size(), 3U);
}

TEST_F(BoltPortTest, AnswersHeartbeatsItselfAndLetsThemChooseNothing) {
    accept(kConn);
    std::string beat;
    bolt::append_heartbeat(beat, {}, -3);
    port.on_bytes(kConn, beat);
    const std::string ack = net.take(kConn);
    const auto decoded = bolt::decode_frame(ack, {});
    ASSERT_EQ(decoded.outcome, bolt::Decode::message);
    EXPECT_TRUE(decoded.frame.head.is_response());
    EXPECT_TRUE(decoded.frame.head.is_heartbeat());
    EXPECT_EQ(decoded.frame.head.request_id, -3);
    EXPECT_TRUE(hessian.log.empty());
    port.on_bytes(kConn, frame("x", bolt::kCodecProtobuf));
    EXPECT_EQ(native.log.size(), 2U);
}

TEST_F(BoltPortTest, AnswersUnknownAndMixedCodecsWithACodecException) {
    accept(kConn);
    port.on_bytes(kConn, frame("a", 77));
    port.on_bytes(kConn, frame("a"));
    port.on_bytes(kConn, frame("a", bolt::kCodecProtobuf));
    EXPECT_EQ(hessian.log.size(), 2U);
    EXPECT_TRUE(native.log.empty());
    const std::string answers = net.take(kConn);
    ASSERT_EQ(answers.size(), 40U);
    EXPECT_EQ(bolt::decode_frame(answers, {}).frame.head.status, bolt::Status::codec_exception);
    EXPECT_EQ(port.refused(BoltRefusal::unknown_codec), 2U);
    EXPECT_TRUE(net.closed.empty());
}

TEST_F(BoltPortTest, ClosesConnectionsThatSendGarbage) {
    accept(kConn);
    port.on_bytes(kConn, frame("a") + "garbage");
    EXPECT_TRUE(net.closed.contains(kConn));
    EXPECT_EQ(hessian.log.back(), "closed 1");
    EXPECT_EQ(port.refused(BoltRefusal::not_bolt), 1U);
    EXPECT_EQ(port.connections(), 0U);
    accept(kOther);
    port.on_bytes(kOther, "\x01\x09");
    EXPECT_TRUE(net.closed.contains(kOther));
    EXPECT_EQ(port.refused(BoltRefusal::broken_frame), 1U);
}

TEST_F(BoltPortTest, ClosesConnectionsThatAnnounceTooLongFrames) {
    accept(kConn);
    port.on_bytes(kConn, frame("a", bolt::kCodecHessian, std::string(2000, 'x')).substr(0, 22));
    EXPECT_TRUE(net.closed.contains(kConn));
    EXPECT_EQ(port.refused(BoltRefusal::too_big_frame), 1U);
}

TEST_F(BoltPortTest, ClosesConnectionsWithoutAFrameForTheIdleTime) {
    accept(kConn);
    accept(kOther);
    clock.now += std::chrono::seconds(40);
    port.on_bytes(kOther, frame("a"));
    port.on_bytes(kConn, "\x01");  // no whole frame: does not count
    port.on_timer(timers.armed.begin()->first);
    EXPECT_TRUE(net.closed.empty());
    clock.now += std::chrono::seconds(5);
    port.on_timer(timers.armed.begin()->first);
    EXPECT_EQ(net.closed, std::set{kConn});
    EXPECT_EQ(port.refused(BoltRefusal::idle), 1U);
    clock.now += std::chrono::seconds(40);
    port.on_timer(timers.armed.begin()->first);
    EXPECT_TRUE(net.closed.contains(kOther));
    EXPECT_EQ(hessian.log.back(), "closed 2");
}

TEST_F(BoltPortTest, ClosesConnectionsAfterTheIdleTimeOfTheirConversation) {
    native.idle = std::chrono::seconds(15);
    accept(kConn);
    accept(kOther);
    port.on_bytes(kConn, frame("x", bolt::kCodecProtobuf));
    port.on_bytes(kOther, frame("x"));
    clock.now += std::chrono::seconds(15);
    port.on_timer(timers.armed.begin()->first);
    EXPECT_EQ(net.closed, std::set{kConn});
    EXPECT_EQ(native.log.back(), "closed 1");
    EXPECT_LE(timers.armed.begin()->second, std::chrono::seconds(2));
}

TEST_F(BoltPortTest, ClosesConnectionsOverTheLimits) {
    for (std::uint64_t i = 1; i <= 4; ++i) {
        accept(env::ConnId(i));
    }
    EXPECT_EQ(net.closed, std::set{env::ConnId(4)});
    EXPECT_EQ(port.refused(BoltRefusal::too_many_per_ip), 1U);
    accept(env::ConnId(5), "10.0.0.2");
    accept(env::ConnId(6), "10.0.0.3");
    EXPECT_TRUE(net.closed.contains(env::ConnId(6)));
    EXPECT_EQ(port.refused(BoltRefusal::too_many), 1U);
    port.on_bytes(env::ConnId(6), frame("a"));
    EXPECT_TRUE(hessian.log.empty());
    port.on_closed(env::ConnId(1), {Errc::closed, ""});
    accept(env::ConnId(7));
    EXPECT_FALSE(net.closed.contains(env::ConnId(7)));
    EXPECT_EQ(port.connections(), 4U);
}

TEST_F(BoltPortTest, BoundsTheBytesOfIncompleteFramesOfAllTogether) {
    accept(kConn);
    accept(kOther);
    const std::string most = frame("a", bolt::kCodecHessian, std::string(900, 'x')).substr(0, 800);
    port.on_bytes(kConn, most);
    EXPECT_TRUE(net.closed.empty());
    port.on_bytes(kOther, most);
    EXPECT_EQ(net.closed, std::set{kOther});
    EXPECT_EQ(port.refused(BoltRefusal::out_of_buffer), 1U);
    port.on_bytes(kConn, frame("a", bolt::kCodecHessian, std::string(900, 'x')).substr(800));
    EXPECT_EQ(hessian.log.back(), "frame a");
    fakes::FakeMetrics metrics;
    port.write_metrics(metrics);
    EXPECT_EQ(metrics.values["muster_bolt_incomplete_frame_bytes"], 0);
    EXPECT_EQ(metrics.values["muster_bolt_refused_total/out_of_buffer"], 1);
}

TEST_F(BoltPortTest, GivesNoFurtherFramesOfAConnectionThatTheConversationClosed) {
    accept(kConn);
    port.on_bytes(kConn, frame("a") + frame("close") + frame("b"));
    EXPECT_EQ(hessian.log.back(), "frame close");
    EXPECT_TRUE(net.closed.contains(kConn));
    port.send(kConn, "bytes");
    EXPECT_EQ(net.take(kConn), "");
    EXPECT_FALSE(port.congested(kConn));
}

TEST_F(BoltPortTest, ClosesAllWhenItStops) {
    accept(kConn);
    accept(kOther);
    port.on_bytes(kConn, frame("a"));
    port.stop();
    EXPECT_FALSE(net.listening);
    EXPECT_EQ(net.closed.size(), 2U);
    EXPECT_EQ(hessian.log.back(), "closed 1");
    EXPECT_TRUE(timers.armed.empty());
}

}  // namespace
}  // namespace muster::doors
