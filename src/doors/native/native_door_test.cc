#include "doors/native/native_door.h"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

#include "doors/native/fakes_for_test.h"
#include "doors/native_codec/mark_codec.h"
#include "doors/native_codec/sample_messages.h"
#include "muster/v1/client.pb.h"
#include "wire/bolt/frame_decoder.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

using native_fakes::FakeMetrics;
using native_fakes::FakePort;
using native_fakes::FakeSession;
namespace sample = native::sample;

constexpr env::ConnId kConn{7};
constexpr env::ConnId kOther{8};

struct Fixture {
    FakeSession session;
    FakePort port;
    NativeDoor door{{}, session, {}};

    Fixture() {
        door.on_open(kConn, {.ip = "10.0.0.7", .port = 41234}, port);
    }

    static bolt::FrameHead request_head() {
        return {.request_id = -5, .codec = bolt::kCodecProtobuf, .timeout_ms = 1000};
    }
    void receive(std::string_view class_name, std::string_view content,
                 const bolt::FrameHead& head = request_head()) {
        door.on_frame(kConn, {.head = head, .class_name = class_name, .content = content});
    }
    void receive(const msg::ClientMessage& message) {
        bolt::FrameHead head = request_head();
        if (!native::expects_reply(message)) {
            head.type = bolt::FrameType::oneway;
        }
        receive(native::class_name(message), native::encode(message), head);
    }
    // The only frame sent to `conn`; its views live until the next call.
    bolt::Frame sent(env::ConnId conn = kConn) {
        bytes_ = port.take(conn);
        const auto decoded = bolt::decode_frame(bytes_, {});
        EXPECT_EQ(decoded.outcome, bolt::Decode::message);
        EXPECT_EQ(decoded.size, bytes_.size());
        return decoded.frame;
    }

private:
    std::string bytes_;
};

TEST(NativeDoor, GivesEveryRequestToTheSession) {
    Fixture f;
    EXPECT_EQ(f.session.opened.at(kConn).address, "10.0.0.7:41234");
    EXPECT_EQ(f.session.opened.at(kConn).door, "native");
    for (const auto& message : sample::requests()) {
        f.receive(message);
        ASSERT_FALSE(f.session.messages.empty());
        EXPECT_EQ(native::encode(f.session.messages.back()), native::encode(message));
    }
    EXPECT_EQ(f.session.messages.size(), sample::requests().size());
    EXPECT_TRUE(f.port.sent.empty());
}

TEST(NativeDoor, FramesTheReplyLikeItsRequest) {
    Fixture f;
    bolt::FrameHead head = Fixture::request_head();
    head.protocol = bolt::kProtocol2;
    head.version = 2;
    head.switches = 1;
    const auto request = sample::requests()[0];
    f.receive(native::class_name(request), native::encode(request), head);
    msg::RequestReply reply = sample::reply();
    reply.request = native::request_id(f.session.messages[0]);
    f.door.reply(kConn, reply);
    const bolt::Frame frame = f.sent();
    EXPECT_EQ(frame.head.type, bolt::FrameType::response);
    EXPECT_EQ(frame.head.request_id, -5);
    EXPECT_EQ(frame.head.codec, bolt::kCodecProtobuf);
    EXPECT_EQ(frame.head.status, bolt::Status::success);
    EXPECT_TRUE(frame.head.has_crc());
    EXPECT_EQ(frame.class_name, "muster.v1.Reply");
    v1::Reply theirs;
    ASSERT_TRUE(theirs.ParseFromString(std::string(frame.content)));
    ASSERT_EQ(theirs.outcomes_size(), 2);
    EXPECT_EQ(theirs.outcomes(0).code(), "");
    EXPECT_EQ(theirs.outcomes(1).code(), "over_limit");
}

// Keeps what is asked, and how it is answered.
struct FakeMarks final : MarkFace {
    struct Asked {
        propagation::DrainWish wish;
        Answer answer;
    };
    void ask_mark(propagation::DrainWish wish, Answer answer) override {
        asked.push_back({std::move(wish), std::move(answer)});
    }
    std::vector<Asked> asked;
};

TEST(NativeDoor, PutsDrainsToTheProcessAndAnswersThem) {
    Fixture f;
    FakeMarks marks;
    f.door.put_marks_to(&marks);
    msg::MarkWish wish = sample::mark_wish();
    wish.kind = Mark::Kind::drained;
    wish.ramp = {};
    f.receive(native::kMarkClass, native::encode(wish));
    ASSERT_EQ(marks.asked.size(), 1U);
    const propagation::DrainWish& asked = marks.asked[0].wish;
    EXPECT_EQ(*asked.service, *wish.service);
    EXPECT_EQ(asked.address, wish.address);
    EXPECT_EQ(asked.kind, Mark::Kind::drained);
    EXPECT_EQ(asked.asked_by, "shop-web");
    EXPECT_EQ(asked.timeout, wish.timeout);
    EXPECT_TRUE(f.port.sent.empty()) << "it waits";

    propagation::DrainReport report{.ids = {RegistId("a")}, .changed = 1, .confirmed = true};
    report.who.lists = 3;
    marks.asked[0].answer(report);
    const bolt::Frame frame = f.sent();
    EXPECT_EQ(frame.head.request_id, -5);
    EXPECT_EQ(frame.head.status, bolt::Status::success);
    EXPECT_EQ(frame.class_name, "muster.v1.MarkReply");
    v1::MarkReply reply;
    ASSERT_TRUE(reply.ParseFromString(std::string(frame.content)));
    EXPECT_EQ(reply.ids(0), "a");
    EXPECT_TRUE(reply.confirmed());
    EXPECT_EQ(reply.subscribers(), 3U);
}

TEST(NativeDoor, SaysWhyADrainCannotBe) {
    Fixture f;
    const std::string wish = native::encode(sample::mark_wish());
    const auto why = [&] {
        v1::Reply reply;
        const bolt::Frame frame = f.sent();
        EXPECT_NE(frame.head.status, bolt::Status::success);
        EXPECT_TRUE(reply.ParseFromString(std::string(frame.content)));
        return reply.code();
    };
    f.receive(native::kMarkClass, wish);
    EXPECT_EQ(why(), "unavailable") << "the process carries out none";
    FakeMarks marks;
    f.door.put_marks_to(&marks);
    msg::MarkWish nowhere = sample::mark_wish();
    nowhere.address = "nowhere";
    f.receive(native::kMarkClass, native::encode(nowhere));
    EXPECT_EQ(why(), "invalid_argument");
    msg::MarkWish nameless = sample::mark_wish();
    nameless.asked_by = "two\nlines";
    f.receive(native::kMarkClass, native::encode(nameless));
    EXPECT_EQ(why(), "invalid_argument");
    msg::MarkWish endless = sample::mark_wish();
    endless.timeout = std::chrono::hours(1);
    f.receive(native::kMarkClass, native::encode(endless));
    EXPECT_EQ(why(), "invalid_argument");
    f.receive(native::kMarkClass, "\x0a\x05x");
    EXPECT_EQ(why(), "bad_content");
    EXPECT_EQ(f.door.bad_frames(NativeBadFrame::malformed), 1U);
    EXPECT_TRUE(marks.asked.empty());

    for (std::size_t i = 0; i < NativeDoor::kMarksMax; ++i) {
        f.receive(native::kMarkClass, wish);
    }
    EXPECT_TRUE(f.port.take(kConn).empty());
    f.receive(native::kMarkClass, wish);
    EXPECT_EQ(why(), "busy");
    marks.asked[0].answer(fail(Errc::not_found, "nobody publishes it"));
    EXPECT_EQ(why(), "not_found");
    f.receive(native::kMarkClass, wish);
    EXPECT_EQ(marks.asked.size(), NativeDoor::kMarksMax + 1) << "one is over";
}

TEST(NativeDoor, DrainsWithoutAnAnswerWhoAsksForNone) {
    Fixture f;
    bolt::FrameHead oneway = Fixture::request_head();
    oneway.type = bolt::FrameType::oneway;
    const std::string wish = native::encode(sample::mark_wish());
    f.receive(native::kMarkClass, wish, oneway);
    EXPECT_TRUE(f.port.take(kConn).empty()) << "the process carries out none";
    FakeMarks marks;
    f.door.put_marks_to(&marks);
    f.receive(native::kMarkClass, wish, oneway);
    f.receive(native::kMarkClass, wish, oneway);
    ASSERT_EQ(marks.asked.size(), 2U);
    marks.asked[0].answer(propagation::DrainReport{});
    marks.asked[1].answer(fail(Errc::not_found, "nobody publishes it"));
    EXPECT_TRUE(f.port.take(kConn).empty());
}

TEST(NativeDoor, TellsNobodyOfADrainWhoseConnectionClosed) {
    Fixture f;
    FakeMarks marks;
    f.door.put_marks_to(&marks);
    f.receive(native::kMarkClass, native::encode(sample::mark_wish()));
    f.door.on_closed(kConn);
    marks.asked[0].answer(propagation::DrainReport{});
    EXPECT_TRUE(f.port.sent.empty());
}

constexpr std::array<std::string_view, 1> kA{"a"};
constexpr std::array<std::string_view, 2> kBAndC{"b", "c"};

TEST(NativeDoor, EncodesAPushOnceForAllConnections) {
    Fixture f;
    f.door.on_open(kOther, {.ip = "10.0.0.8", .port = 1}, f.port);
    const auto view = sample::view();
    const std::vector<msg::PushTarget> targets{
        {kConn, kA}, {kOther, kBAndC}, {env::ConnId(99), kA}};
    f.door.push({.view = view, .scope = Scope::zone, .zone = "z", .targets = targets});
    ASSERT_EQ(f.port.bodies.size(), 2U);
    EXPECT_EQ(f.port.bodies[0], f.port.bodies[1]);
    v1::Push push;
    const bolt::Frame frame = f.sent(kOther);
    EXPECT_EQ(frame.head.type, bolt::FrameType::oneway);
    ASSERT_TRUE(push.ParseFromString(std::string(frame.content)));
    EXPECT_EQ(push.publications_size(), 3);
    EXPECT_EQ(push.subscription_ids_size(), 2);
    EXPECT_EQ(push.from_version(), 0U);
    // The next connection whose turn it is finds it encoded.
    f.door.push({.view = view, .scope = Scope::zone, .zone = "z", .targets = targets});
    EXPECT_EQ(f.door.push_bodies().made(), 1U);
    f.door.push({.view = view, .scope = Scope::zone, .zone = "y", .targets = targets});
    EXPECT_EQ(f.door.push_bodies().made(), 2U);
}

// A list as long as many a service has.
ServiceViewPtr long_view() {
    auto view = std::make_shared<ServiceView>(*sample::view());
    const Publication one = *view->publications.front();
    view->publications.clear();
    for (int i = 1000; i < 2000; ++i) {
        auto publication = std::make_shared<Publication>(one);
        publication->id = RegistId("6fa459ea-ee8a-3ca4-894e-" + std::to_string(i));
        view->publications.push_back(std::move(publication));
    }
    return view;
}

TEST(NativeDoor, PacksLongPushesOnceForThoseThatTakeIt) {
    Fixture f;
    constexpr env::ConnId kThird(78);
    f.door.on_open(kOther, {.ip = "10.0.0.8", .port = 1}, f.port);
    f.door.on_open(kThird, {.ip = "10.0.0.9", .port = 1}, f.port);
    const auto subscribe = sample::requests()[2];
    ASSERT_TRUE(std::holds_alternative<msg::Subscribe>(subscribe));
    f.receive(subscribe);  // says that it takes that; the others say nothing
    const auto view = long_view();
    const std::vector<msg::PushTarget> targets{{kConn, kA}, {kOther, kBAndC}, {kThird, kBAndC}};
    const msg::PushOrder order{.view = view, .scope = Scope::zone, .zone = "z", .targets = targets};
    f.door.push(order);
    for (const env::ConnId conn : {kConn, kOther, kThird}) {
        static_cast<void>(f.port.take(conn));
    }
    f.door.push(order);
    EXPECT_EQ(f.door.push_bodies().made(), 1U);
    EXPECT_EQ(f.door.push_bodies().packed(), 1U);
    const bolt::Frame plain = f.sent(kOther);
    EXPECT_EQ(plain.class_name, "muster.v1.Push");
    const std::string content(plain.content);
    const bolt::Frame packed = f.sent(kConn);
    EXPECT_EQ(packed.class_name, "muster.v1.PackedPush");
    EXPECT_LT(packed.content.size(), content.size() / 5);
    const auto told = native::decode_server_message(packed.class_name, packed.content,
                                                    native::client_codec_limits());
    ASSERT_TRUE(told.has_value());
    const auto& push = std::get<msg::Push>(*told);
    EXPECT_EQ(push.subscribers, std::vector{RegistId("a")});
    EXPECT_EQ(push.view->publications.size(), 1000U);
    EXPECT_EQ(push.view->digest, view->digest);
    FakeMetrics metrics;
    f.door.write_metrics(metrics);
    EXPECT_EQ(metrics.values.at("muster_native_pushes_packed_total"), 2);

    f.door.push({.view = sample::view(), .scope = Scope::zone, .zone = "z", .targets = targets});
    EXPECT_EQ(f.sent(kConn).class_name, "muster.v1.Push") << "a short one";
}

TEST(NativeDoor, SendsDeltasAndTakesAcknowledgements) {
    Fixture f;
    const auto push = sample::delta_push();
    const std::vector<std::string_view> ids{push.subscribers[0].raw(), push.subscribers[1].raw()};
    const std::vector<msg::PushTarget> targets{{kConn, ids}};
    f.door.push({.view = push.view,
                 .delta = push.delta,
                 .scope = push.scope,
                 .zone = push.zone,
                 .targets = targets});
    const bolt::Frame frame = f.sent();
    EXPECT_EQ(frame.content, native::encode(push));
    f.receive(msg::PushAck{.service = push.view->service,
                           .scope = push.scope,
                           .zone = push.zone,
                           .version = push.view->version,
                           .ok = false});
    EXPECT_FALSE(std::get<msg::PushAck>(f.session.messages.back()).ok);
    EXPECT_TRUE(f.port.take(kConn).empty()) << "a oneway has no answer";
}

TEST(NativeDoor, CrcOfAPushCoversItsThreeParts) {
    Fixture f;
    bolt::FrameHead head = Fixture::request_head();
    head.protocol = bolt::kProtocol2;
    head.version = 2;
    head.switches = 1;
    const auto request = sample::requests()[2];
    f.receive(native::class_name(request), native::encode(request), head);
    const std::vector<msg::PushTarget> targets{{kConn, kA}};
    f.door.push({.view = sample::view(), .targets = targets});
    EXPECT_TRUE(f.sent().head.has_crc()) << "and the decoder accepted it";
}

TEST(NativeDoor, SendsConfigValuesAndHints) {
    Fixture f;
    f.door.push_config(kConn, {.key = sample::service(), .version = Version(2)});
    EXPECT_EQ(f.sent().class_name, "muster.v1.ConfigPush");
    f.door.hint(kConn, {.servers = {"a:1"}});
    EXPECT_EQ(f.sent().class_name, "muster.v1.ServerHint");
}

TEST(NativeDoor, AnswersBadRequestsWithAStatusAndAReason) {
    struct Case {
        std::string_view class_name;
        std::string content;
        NativeBadFrame bad;
        int status;
        std::string_view code;
    };
    const Case cases[] = {
        {"com.example.Nothing", "", NativeBadFrame::unknown_class, 6, "unknown_type"},
        {"muster.v1.RegisterRequest", "\x0a\x7f", NativeBadFrame::malformed, 0x12, "bad_content"},
        {"muster.v1.RegisterRequest", std::string("\x0a\x00", 2), NativeBadFrame::invalid, 1,
         "invalid_argument"},
        {"muster.v1.RegisterRequest", std::string(17 << 20, 'x'), NativeBadFrame::over_limit, 1,
         "too_large"},
    };
    for (const Case& each : cases) {
        Fixture f;
        f.receive(each.class_name, each.content);
        EXPECT_TRUE(f.session.messages.empty());
        const bolt::Frame frame = f.sent();
        EXPECT_EQ(static_cast<int>(frame.head.status), each.status);
        EXPECT_EQ(frame.head.request_id, -5);
        v1::Reply reply;
        ASSERT_TRUE(reply.ParseFromString(std::string(frame.content)));
        EXPECT_EQ(reply.code(), each.code);
        EXPECT_FALSE(reply.detail().empty());
        EXPECT_EQ(f.door.bad_frames(each.bad), 1U);
        EXPECT_TRUE(f.port.closed.empty()) << "the connection goes on";
    }
}

TEST(NativeDoor, ClosesAConnectionWhoseOnewayIsBad) {
    Fixture f;
    bolt::FrameHead head = Fixture::request_head();
    head.type = bolt::FrameType::oneway;
    f.receive("muster.v1.PushAck", "\xff", head);
    EXPECT_TRUE(f.port.closed.contains(kConn));
    EXPECT_EQ(f.session.closed, std::vector{kConn});
    EXPECT_EQ(f.door.bad_frames(NativeBadFrame::bad_oneway), 1U);
    f.receive(sample::requests()[0]);
    EXPECT_TRUE(f.session.messages.empty()) << "nothing more is heard of it";
}

TEST(NativeDoor, OnewayRequestsAreDoneWithoutAnAnswer) {
    Fixture f;
    bolt::FrameHead head = Fixture::request_head();
    head.type = bolt::FrameType::oneway;
    const auto request = sample::requests()[0];
    f.receive(native::class_name(request), native::encode(request), head);
    ASSERT_EQ(f.session.messages.size(), 1U);
    f.door.reply(kConn, {.request = native::request_id(f.session.messages[0])});
    EXPECT_TRUE(f.port.take(kConn).empty());
}

TEST(NativeDoor, IgnoresAnswersToNothing) {
    Fixture f;
    bolt::FrameHead head = Fixture::request_head();
    head.type = bolt::FrameType::response;
    f.receive("muster.v1.Reply", "", head);
    EXPECT_TRUE(f.session.messages.empty());
    EXPECT_EQ(f.door.bad_frames(NativeBadFrame::stray_response), 1U);
}

TEST(NativeDoor, SessionMayEndAConnectionFromWithin) {
    Fixture f;
    f.session.closes = true;
    f.receive(sample::requests()[0]);
    EXPECT_TRUE(f.port.closed.contains(kConn));
    EXPECT_TRUE(f.session.closed.empty()) << "it knows";
}

TEST(NativeDoor, HasAConnectionNotReadWhileTheSessionWishes) {
    Fixture f;
    f.door.stop_reading(kConn);
    f.door.stop_reading(kOther);
    EXPECT_EQ(f.port.stopped, std::set{kConn}) << "the other one is not known";
    f.door.go_on_reading(kConn);
    EXPECT_TRUE(f.port.stopped.empty());
}

TEST(NativeDoor, ReportsCongestionDrainingAndTheEnd) {
    Fixture f;
    f.port.congested_conns.insert(kConn);
    EXPECT_TRUE(f.door.congested(kConn));
    EXPECT_FALSE(f.door.congested(kOther));
    f.door.on_drained(kConn);
    EXPECT_EQ(f.session.drained, std::vector{kConn});
    f.door.on_closed(kConn);
    f.door.on_closed(kConn);
    EXPECT_EQ(f.session.closed, std::vector{kConn});
    f.door.reply(kConn, sample::reply());
    EXPECT_TRUE(f.port.sent.empty());
}

TEST(NativeDoor, TellsItsMetrics) {
    Fixture f;
    f.receive(sample::requests()[0]);
    f.receive("x", "");
    FakeMetrics metrics;
    f.door.write_metrics(metrics);
    EXPECT_EQ(metrics.values.at("muster_native_connections"), 1);
    EXPECT_EQ(metrics.values.at("muster_native_messages_total/register"), 1);
    EXPECT_EQ(metrics.values.at("muster_native_publications_total"), 2);
    EXPECT_EQ(metrics.values.at("muster_native_bad_frames_total/unknown_class"), 1);
}

TEST(NativeDoor, AsksThePortToCloseSilentConnectionsAfterFifteenSeconds) {
    Fixture f;
    EXPECT_EQ(f.door.idle_max(), std::chrono::seconds(15));
}

TEST(PushBodies, KeepTheNewestWithinTheirBytes) {
    PushBodies bodies(1, 0);
    const auto first = sample::view();
    const auto second = sample::view();
    EXPECT_NE(bodies.encode({.view = first}, true).bytes, nullptr);
    EXPECT_NE(bodies.encode({.view = first}, true).bytes, nullptr);
    EXPECT_EQ(bodies.reused(), 1U) << "the newest is always kept";
    EXPECT_NE(bodies.encode({.view = second}, true).bytes, nullptr);
    EXPECT_NE(bodies.encode({.view = first}, true).bytes, nullptr);
    EXPECT_EQ(bodies.made(), 3U);
}

}  // namespace
}  // namespace muster::doors
