#include "doors/bolt/bolt_door.h"

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "doors/bolt/bolt_port.h"
#include "doors/bolt/fakes_for_test.h"
#include "doors/bolt/sofa_answers.h"
#include "wire/bolt/frame_encoder.h"
#include "wire/golden/golden_vectors.h"
#include "wire/hessian/writer.h"

namespace muster::doors {
namespace {

using hessian::Value;

constexpr env::ConnId kConn{1};
constexpr env::ConnId kOther{2};

const bolt::FrameHead kCrcHead{.protocol = bolt::kProtocol2, .version = 2, .switches = 1};

golden::Vector vector_named(const std::string& name) {
    auto read = golden::read_vector(golden::folder(MUSTER_SOURCE_ROOT), name);
    EXPECT_TRUE(read.has_value()) << to_string(read.error());
    return *std::move(read);
}

ServiceViewPtr view_of(std::vector<Publication> publications, std::uint64_t version = 9) {
    auto view = std::make_shared<ServiceView>();
    view->service = std::make_shared<Service>(Service{.data_id = "orders"});
    view->version = Version(version);
    view->complete = true;
    for (Publication& publication : publications) {
        publication.service = view->service;
        view->publications.push_back(std::make_shared<Publication>(std::move(publication)));
    }
    return view;
}

// A registration whose list is one box and `references` to it; `fields` more fields in the box.
std::string list_of_one_box(std::string_view text, int references, int fields = 0) {
    using namespace std::string_literals;
    std::string content = "Mt\0\1B\x08"s + "dataListVMt\0\1D"s;
    hessian::Writer writer(content);
    for (int i = 0; i < fields; ++i) {
        writer.utf8("field");
        writer.null();
    }
    writer.utf8("data");
    writer.utf8(text);
    content += "z";
    for (int i = 0; i < references; ++i) {
        writer.reference(2);
    }
    return content + "zz";
}

// A frame as it was sent, with its content read.
struct Sent {
    bolt::FrameHead head;
    std::string class_name;
    Value content;

    const hessian::Object& object() const {
        return *content.get<hessian::Object>();
    }
    const Value& field(std::string_view name) const {
        return *object().find(name);
    }
    std::string text(std::string_view name) const {
        const auto* text = field(name).get<hessian::Text>();
        return text == nullptr ? "<null>" : hessian::to_wtf8(*text);
    }
};

class BoltDoorTest : public testing::Test {
protected:
    BoltDoorTest() {
        port.serve(bolt::kCodecHessian, door);
        EXPECT_TRUE(port.listen({"127.0.0.1", 9600}).has_value());
        for (const env::ConnId conn : {kConn, kOther}) {
            port.on_accepted(conn, {"10.0.0.9", static_cast<std::uint16_t>(4000 + conn.raw())});
        }
    }

    // All frames sent to `conn` since the last call.
    std::vector<Sent> take(env::ConnId conn) {
        const std::string bytes = net.take(conn);
        std::vector<Sent> frames;
        for (std::size_t at = 0; at < bytes.size();) {
            const auto decoded = bolt::decode_frame(std::string_view(bytes).substr(at), {});
            if (decoded.outcome != bolt::Decode::message) {
                ADD_FAILURE() << "sent bytes that are no frame: " << decoded.why;
                break;
            }
            at += decoded.size;
            Sent sent{.head = decoded.frame.head,
                      .class_name = std::string(decoded.frame.class_name)};
            if (!decoded.frame.content.empty()) {
                auto read = hessian::read_value(decoded.frame.content);
                EXPECT_TRUE(read.has_value());
                EXPECT_EQ(read->size, decoded.frame.content.size());
                sent.content = std::move(read->value);
            }
            frames.push_back(std::move(sent));
        }
        return frames;
    }
    void request(std::string_view class_name, std::string_view content, bolt::FrameHead head = {}) {
        std::string bytes;
        bolt::append_frame(bytes, {.head = head, .class_name = class_name, .content = content});
        port.on_bytes(kConn, bytes);
    }
    void request(std::string_view class_name, const Value& content, bolt::FrameHead head = {}) {
        request(class_name, hessian::write_value(content), head);
    }
    // A registration as a typed map of text fields, as old writers put it.
    static Value bean(std::vector<std::pair<std::string, std::string>> fields) {
        hessian::Map map{.type = std::make_shared<hessian::Text>(hessian::text_of("some.Bean"))};
        for (const auto& [name, value] : fields) {
            map.entries.push_back({Value{hessian::text_of(name)}, Value{hessian::text_of(value)}});
        }
        return {std::move(map)};
    }
    void subscribe(env::ConnId conn, bolt::FrameHead head = {}) {
        std::string bytes;
        const std::string content = hessian::write_value(
            bean({{"dataId", "orders"}, {"registId", "s"}, {"eventType", "REGISTER"}}));
        bolt::append_frame(
            bytes, {.head = head, .class_name = sofa::kSubscriberRegister, .content = content});
        port.on_bytes(conn, bytes);
        EXPECT_EQ(take(conn).size(), 1U);
    }
    void push_to(std::vector<env::ConnId> conns, const ServiceViewPtr& view,
                 Scope scope = Scope::data_center) {
        std::list<std::string> ids;
        std::list<std::string_view> views;
        std::vector<msg::PushTarget> targets;
        for (const env::ConnId conn : conns) {
            views.emplace_back(ids.emplace_back("s" + std::to_string(conn.raw())));
            targets.push_back({.conn = conn, .subscribers = {&views.back(), 1}});
        }
        door.push({.view = view, .scope = scope, .zone = "Z", .targets = targets});
    }
    // The client's answer to a push.
    void answer(env::ConnId conn, std::int32_t id, std::string_view content,
                bolt::Status status = bolt::Status::success) {
        std::string bytes;
        bolt::append_frame(bytes, {.head = {.type = bolt::FrameType::response,
                                            .command = bolt::Command::response,
                                            .request_id = id,
                                            .status = status},
                                   .content = content});
        port.on_bytes(conn, bytes);
    }

    fakes::FakeNet net;
    fakes::FakeClock clock;
    fakes::FakeTimers timers;
    fakes::FakeSession session;
    BoltDoor door{{}, session, Log()};
    BoltPort port{{}, net, clock, timers, Log()};
};

TEST_F(BoltDoorTest, PassesAPublisherOnAndAnswersWithItsVersion) {
    port.on_bytes(kConn, vector_named("v663-pub-register-basic").bytes);
    const auto registered = session.all<msg::RegisterPublishers>();
    ASSERT_EQ(registered.size(), 1U);
    const Publication& publication = *registered[0].publications.at(0);
    EXPECT_EQ(publication.id.raw(), "11111111-2222-3333-4444-555555555555");
    EXPECT_EQ(publication.service->data_id, "com.alipay.test.Svc:1.0@DEFAULT");
    EXPECT_EQ(publication.service->group, "SOFA");
    EXPECT_EQ(publication.client_address, "10.0.0.9:4001");
    EXPECT_EQ(publication.order, (RegistOrder{1, 1600000000123}));
    EXPECT_EQ(publication.boxes.size(), 2U);
    ASSERT_EQ(session.opened.size(), 1U);
    EXPECT_EQ(session.opened[0].second.door, "bolt");

    const auto answers = take(kConn);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].head.request_id, 7);
    EXPECT_EQ(answers[0].class_name, sofa::kRegisterResponse);
    EXPECT_TRUE(answers[0].content == vector_named("v663-register-response-ok").body);
}

TEST_F(BoltDoorTest, ReadsWhatEveryGoldenRegistrationSays) {
    const auto vectors = golden::read_vectors(golden::folder(MUSTER_SOURCE_ROOT));
    ASSERT_TRUE(vectors.has_value());
    std::size_t requests = 0;
    for (const golden::Vector& vector : *vectors) {
        if (!vector.is_frame || vector.head.is_response() || vector.head.is_heartbeat() ||
            vector.class_name.find("Register") == std::string::npos) {
            continue;
        }
        ++requests;
        port.on_bytes(kConn, vector.bytes);
        const auto answers = take(kConn);
        if (vector.head.type == bolt::FrameType::oneway) {
            EXPECT_TRUE(answers.empty()) << vector.name;
            continue;
        }
        ASSERT_EQ(answers.size(), 1U) << vector.name;
        const auto* data_id = vector.body.get<hessian::Object>()->find("dataId");
        const auto* name = data_id->get<hessian::Text>();
        // One name holds control characters, which services may not.
        const bool named =
            name != nullptr && Service::make("", "", hessian::to_utf8(*name)).has_value();
        EXPECT_EQ(*answers[0].field("success").get<bool>(), named) << vector.name;
        EXPECT_EQ(answers[0].head.protocol, vector.head.protocol) << vector.name;
        EXPECT_EQ(answers[0].head.version, vector.head.version) << vector.name;
        EXPECT_EQ(answers[0].head.request_id, vector.head.request_id) << vector.name;
        EXPECT_EQ(answers[0].head.has_crc(), vector.head.has_crc()) << vector.name;
        if (const auto* version = vector.body.get<hessian::Object>()->find("version"); named) {
            EXPECT_EQ(answers[0].field("version"), *version) << vector.name;
        }
    }
    EXPECT_GT(requests, 80U);
    EXPECT_EQ(door.bad_requests(BoltBadRequest::bad_content), 0U);
}

TEST_F(BoltDoorTest, FollowsReferencesToSharedBoxes) {
    port.on_bytes(kConn, vector_named("v663-pub-register-shared-ref").bytes);
    EXPECT_EQ(session.all<msg::RegisterPublishers>().at(0).publications.at(0)->boxes,
              (std::vector<std::string>{"shared", "shared", "other", "shared"}));
}

TEST_F(BoltDoorTest, TranslatesScopesLeavingAndConfigurators) {
    for (const auto* name : {"v663-sub-register-zone", "v663-sub-register-dataCenter",
                             "v663-sub-register-global", "v663-sub-unregister",
                             "v663-pub-unregister", "v663-conf-register", "v663-conf-unregister"}) {
        port.on_bytes(kConn, vector_named(name).bytes);
    }
    const auto subscribed = session.all<msg::Subscribe>();
    ASSERT_EQ(subscribed.size(), 3U);
    EXPECT_EQ(subscribed[0].items[0].subscription.scope, Scope::zone);
    EXPECT_EQ(subscribed[1].items[0].subscription.scope, Scope::data_center);
    EXPECT_EQ(subscribed[2].items[0].subscription.scope, Scope::global);
    EXPECT_EQ(session.all<msg::Unsubscribe>().size(), 1U);
    EXPECT_EQ(session.all<msg::UnregisterPublishers>().size(), 1U);
    EXPECT_EQ(session.all<msg::WatchConfig>().size(), 1U);
    EXPECT_EQ(session.all<msg::UnwatchConfig>().size(), 1U);
    EXPECT_EQ(take(kConn).back().text("message"), "ConfiguratorRegister register success!");
}

TEST_F(BoltDoorTest, ReadsByNameWhateverTheOrderAndFormOfFields) {
    Value value = bean(
        {{"eventType", "REGISTER"}, {"unknown", "x"}, {"dataId", "orders"}, {"registId", "r"}});
    value = [&] {
        hessian::Map map = *value.get<hessian::Map>();
        map.entries.push_back({Value{hessian::text_of("version")}, Value{std::int32_t{4}}});
        map.entries.push_back({Value{hessian::text_of("timestamp")}, Value{hessian::Double{6.0}}});
        return Value{std::move(map)};
    }();
    request(sofa::kPublisherRegister, value);
    const auto& publication = *session.all<msg::RegisterPublishers>().at(0).publications.at(0);
    EXPECT_EQ(publication.order, (RegistOrder{4, 6}));
    EXPECT_EQ(publication.service->tenant, kDefaultTenant);
    EXPECT_EQ(publication.zone, kDefaultZone);
    EXPECT_TRUE(publication.boxes.empty());
}

TEST_F(BoltDoorTest, AnswersSyncConfigWithItsCenter) {
    port.on_bytes(kConn, vector_named("v663-sync-config-request").bytes);
    const auto answers = take(kConn);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_TRUE(answers[0].content == vector_named("v663-sync-config-response-ok").body);
}

TEST_F(BoltDoorTest, TellsTheClientWhyItsRegistrationWasRefused) {
    session.outcome = fail(Errc::over_limit, "200000 registrations on this connection");
    port.on_bytes(kConn, vector_named("v663-pub-register-basic").bytes);
    const auto answers = take(kConn);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].field("success"), Value{false});
    EXPECT_EQ(answers[0].field("version"), Value{std::int64_t{0}});
    EXPECT_EQ(answers[0].text("registId"), "<null>");
    EXPECT_EQ(answers[0].text("message"), "over a limit: 200000 registrations on this connection");
}

TEST_F(BoltDoorTest, RefusesEmptyAndMalformedNames) {
    const Value bad[] = {
        bean({{"registId", "r"}, {"eventType", "REGISTER"}}),
        bean({{"dataId", " "}, {"registId", "r"}, {"eventType", "REGISTER"}}),
        bean({{"dataId", "a#@#b"}, {"registId", "r"}, {"eventType", "REGISTER"}}),
        bean({{"dataId", "a\nb"}, {"registId", "r"}, {"eventType", "REGISTER"}}),
        bean({{"dataId", "a"}, {"group", "a#@#b"}, {"registId", "r"}, {"eventType", "REGISTER"}}),
        bean({{"dataId", "a"}, {"eventType", "REGISTER"}})};
    for (const Value& value : bad) {
        request(sofa::kPublisherRegister, value);
        const auto answers = take(kConn);
        ASSERT_EQ(answers.size(), 1U);
        EXPECT_EQ(answers[0].field("success"), Value{false});
        EXPECT_NE(answers[0].text("message"), "");
    }
    EXPECT_EQ(door.bad_requests(BoltBadRequest::bad_name), 6U);
    request(sofa::kSubscriberRegister,
            bean({{"dataId", "a"}, {"registId", "r"}, {"eventType", "CHANGE"}}));
    EXPECT_EQ(take(kConn).at(0).field("success"), Value{false});
    EXPECT_EQ(door.bad_requests(BoltBadRequest::bad_event_type), 1U);
    EXPECT_TRUE(session.messages.empty());
}

TEST_F(BoltDoorTest, AnswersUnknownClassesWithABareStatus) {
    request("com.example.Unknown", "N", {.request_id = 3});
    const auto answers = take(kConn);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].head.status, bolt::Status::server_exception);
    EXPECT_EQ(answers[0].head.request_id, 3);
    EXPECT_EQ(answers[0].class_name, "");
    EXPECT_EQ(door.bad_requests(BoltBadRequest::unknown_class), 1U);
    request("com.example.Unknown", "N", {.type = bolt::FrameType::oneway});
    EXPECT_TRUE(take(kConn).empty());
    EXPECT_TRUE(net.closed.empty());
}

TEST_F(BoltDoorTest, AnswersUnreadableContentWithADeserializationStatus) {
    // Cut, not a bean, nothing at all, nested too deep, too many values.
    std::vector<std::string> bad{"Vn\x05", "N", "", std::string(100'000, 'V'),
                                 "V" + std::string(1'000'000, 'N') + "z"};
    // 100,000 boxes of 32 KB, and as many of 20,000 fields.
    bad.push_back(list_of_one_box(std::string(32'000, 'x'), 100'000));
    bad.push_back(list_of_one_box("x", 100'000, 20'000));
    for (const std::string& content : bad) {
        for (const auto kind : {sofa::kPublisherRegister, sofa::kSyncConfigRequest}) {
            const bool is_long_list = content.starts_with("Mt");
            if (kind == sofa::kSyncConfigRequest && is_long_list) {
                continue;  // a bean as good as any
            }
            request(kind, content, {.request_id = 3});
            const auto answers = take(kConn);
            ASSERT_EQ(answers.size(), 1U);
            EXPECT_EQ(answers[0].head.status, bolt::Status::deserialization_failed)
                << content.substr(0, 10);
        }
    }
    EXPECT_EQ(door.bad_requests(BoltBadRequest::bad_content), 12U);
    EXPECT_TRUE(session.messages.empty());
    EXPECT_TRUE(net.closed.empty());
}

TEST_F(BoltDoorTest, CountsWhatReferencesMultiply) {
    const auto small = sofa::read_register(list_of_one_box("x", 1), {});
    ASSERT_TRUE(small.has_value()) << to_string(small.error());
    EXPECT_EQ(small->boxes, (std::vector<std::string>{"x", "x"}));
    EXPECT_EQ(
        sofa::read_register(list_of_one_box(std::string(32'000, 'x'), 100'000), {}).error().code,
        Errc::too_large);
    EXPECT_EQ(sofa::read_register(list_of_one_box("x", 100'000, 20'000), {}).error().code,
              Errc::too_large);
}

TEST_F(BoltDoorTest, PushesAListByZone) {
    subscribe(kConn);
    push_to({kConn}, view_of({{.id = RegistId("1"), .zone = "A", .boxes = {"a1", "a2"}},
                              {.id = RegistId("2"), .zone = "B", .boxes = {"\xf0\x9f\x98\x80"}},
                              {.id = RegistId("3"), .zone = "A", .boxes = {"a3"}}}));
    const auto pushes = take(kConn);
    ASSERT_EQ(pushes.size(), 1U);
    const Sent& push = pushes[0];
    EXPECT_EQ(push.head.type, bolt::FrameType::request);
    EXPECT_EQ(push.head.timeout_ms, 2000);
    EXPECT_EQ(push.class_name, sofa::kReceivedData);
    EXPECT_EQ(push.text("dataId"), "orders");
    EXPECT_EQ(push.text("segment"), kDefaultCenter);
    EXPECT_EQ(push.text("scope"), "dataCenter");
    EXPECT_EQ(push.field("version"), Value{std::int64_t{9}});
    EXPECT_EQ(push.object().shape->fields.back().units, "subscriberRegistIds");
    const auto* zones = push.field("data").get<hessian::Map>();
    ASSERT_EQ(zones->entries.size(), 2U);
    EXPECT_EQ(zones->entries[0].key, Value{hessian::text_of("A")});
    const auto& boxes = zones->entries[0].value.get<hessian::List>()->items;
    ASSERT_EQ(boxes.size(), 3U);
    EXPECT_EQ(*boxes[2].get<hessian::Object>()->find("data"), Value{hessian::text_of("a3")});
    EXPECT_EQ(push.field("dataCount").get<hessian::Map>()->entries[0].value, Value{3});
    EXPECT_EQ(push.field("subscriberRegistIds").get<hessian::List>()->items.at(0),
              Value{hessian::text_of("s1")});
}

TEST_F(BoltDoorTest, PushesAnEmptyListAsAnEmptyMap) {
    subscribe(kConn);
    push_to({kConn}, view_of({}));
    const auto pushes = take(kConn);
    ASSERT_EQ(pushes.size(), 1U);
    ASSERT_NE(pushes[0].field("data").get<hessian::Map>(), nullptr);
    EXPECT_TRUE(pushes[0].field("data").get<hessian::Map>()->entries.empty());
}

TEST_F(BoltDoorTest, EncodesAListOnceForAllConnectionsAndProtocols) {
    subscribe(kConn);
    subscribe(kOther, kCrcHead);
    const auto view = view_of({{.id = RegistId("1"), .boxes = {std::string(10'000, 'x')}}});
    push_to({kConn, kOther, env::ConnId(99)}, view);
    push_to({kConn}, view);
    ASSERT_EQ(net.bodies.size(), 3U);
    EXPECT_EQ(net.bodies[0], net.bodies[1]);
    EXPECT_EQ(net.bodies[0], net.bodies[2]);
    EXPECT_EQ(take(kConn).size(), 2U);
    const auto with_crc = take(kOther);
    ASSERT_EQ(with_crc.size(), 1U);
    EXPECT_TRUE(with_crc[0].head.has_crc());
    EXPECT_EQ(with_crc[0].field("subscriberRegistIds").get<hessian::List>()->items.at(0),
              Value{hessian::text_of("s2")});
    push_to({kConn}, view, Scope::zone);
    EXPECT_NE(net.bodies[3], net.bodies[0]);
    fakes::FakeMetrics metrics;
    door.write_metrics(metrics);
    EXPECT_EQ(metrics.values["muster_bolt_views_encoded_total"], 2);
    EXPECT_EQ(metrics.values["muster_bolt_views_reused_total"], 1);
    EXPECT_EQ(metrics.values["muster_bolt_pushes_total"], 4);
}

TEST_F(BoltDoorTest, TurnsAnswersToPushesIntoAcknowledgements) {
    subscribe(kConn);
    push_to({kConn}, view_of({}, 1));
    push_to({kConn}, view_of({}, 2), Scope::zone);
    push_to({kConn}, view_of({}, 3), Scope::global);
    const auto pushes = take(kConn);
    ASSERT_EQ(pushes.size(), 3U);
    const golden::Vector good = vector_named("v663-push-ack-ok");
    const golden::Vector bad = vector_named("v663-push-ack-failed");
    answer(kConn, pushes[1].head.request_id, bad.bytes.substr(bad.content_offset));
    answer(kConn, pushes[0].head.request_id, good.bytes.substr(good.content_offset));
    answer(kConn, pushes[2].head.request_id, "", bolt::Status::deserialization_failed);
    const auto acks = session.all<msg::PushAck>();
    ASSERT_EQ(acks.size(), 3U);
    EXPECT_EQ(acks[0].scope, Scope::zone);
    EXPECT_EQ(acks[0].zone, "Z");
    EXPECT_EQ(acks[0].version, Version(2));
    EXPECT_FALSE(acks[0].ok);
    EXPECT_EQ(acks[1].version, Version(1));
    EXPECT_TRUE(acks[1].ok);
    EXPECT_FALSE(acks[2].ok);
}

TEST_F(BoltDoorTest, IgnoresAnswersToNoPushAndToPushesThatWereReplaced) {
    subscribe(kConn);
    push_to({kConn}, view_of({}, 1));
    push_to({kConn}, view_of({}, 2));
    const auto pushes = take(kConn);
    answer(kConn, 12345, "");
    answer(kConn, pushes[0].head.request_id, "");
    EXPECT_TRUE(session.all<msg::PushAck>().empty());
    EXPECT_EQ(door.bad_requests(BoltBadRequest::unknown_push_id), 2U);
    answer(kConn, pushes[1].head.request_id, "garbage");
    EXPECT_EQ(session.all<msg::PushAck>().at(0).version, Version(2));
    EXPECT_TRUE(session.all<msg::PushAck>().at(0).ok);
    answer(kConn, pushes[1].head.request_id, "");
    EXPECT_EQ(session.all<msg::PushAck>().size(), 1U);
}

TEST_F(BoltDoorTest, PushesConfigurationValuesWithAndWithoutAValue) {
    port.on_bytes(kConn, vector_named("v663-conf-register").bytes);
    take(kConn);
    const auto key = std::make_shared<Service>(Service{.data_id = "cfg.demo"});
    msg::ConfigPush push{.key = key,
                         .version = Version(5),
                         .value = std::make_shared<std::string>("{\"k\":\"v\"}"),
                         .watchers = {RegistId("11111111-2222-3333-4444-555555555555"),
                                      RegistId("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")}};
    door.push_config(kConn, push);
    push.value = nullptr;
    door.push_config(kConn, push);
    const auto pushes = take(kConn);
    ASSERT_EQ(pushes.size(), 2U);
    EXPECT_TRUE(pushes[0].content == vector_named("v663-push-config-basic").body);
    EXPECT_EQ(pushes[1].field("dataBox"), Value{hessian::Null{}});
    answer(kConn, pushes[1].head.request_id, "");
    EXPECT_TRUE(session.all<msg::PushAck>().empty());
    EXPECT_EQ(door.bad_requests(BoltBadRequest::unknown_push_id), 0U);
}

TEST_F(BoltDoorTest, ForgetsAConnectionThatClosedAndTellsTheSession) {
    subscribe(kConn);
    subscribe(kOther);
    port.on_closed(kConn, {Errc::over_limit, "never reads its pushes"});
    EXPECT_EQ(session.closed, std::vector{kConn});
    push_to({kConn, kOther}, view_of({}));
    EXPECT_TRUE(take(kConn).empty());
    EXPECT_EQ(take(kOther).size(), 1U);
    door.reply(kConn, {.outcomes = {{}}});
    EXPECT_TRUE(take(kConn).empty());
}

TEST_F(BoltDoorTest, SurvivesThatTheSessionClosesTheConnectionWithinARequest) {
    session.close_on_message = true;
    const std::string bytes = vector_named("v663-pub-register-basic").bytes;
    port.on_bytes(kConn, bytes + bytes);
    EXPECT_EQ(session.messages.size(), 1U);
    EXPECT_TRUE(net.closed.contains(kConn));
    EXPECT_TRUE(session.closed.empty());
}

TEST_F(BoltDoorTest, PassesCongestionOnUntilItDrains) {
    subscribe(kConn);
    EXPECT_FALSE(door.congested(kConn));
    net.congested_conns.insert(kConn);
    EXPECT_TRUE(door.congested(kConn));
    port.on_drained(kConn);
    EXPECT_EQ(session.drained, std::vector{kConn});
    EXPECT_FALSE(door.shows_incomplete());
}

TEST_F(BoltDoorTest, HasAConnectionNotReadWhileTheSessionWishes) {
    subscribe(kConn);
    subscribe(kOther);
    door.stop_reading(kConn);
    EXPECT_EQ(net.stopped, std::set{kConn});
    door.go_on_reading(kOther);
    door.go_on_reading(kConn);
    EXPECT_TRUE(net.stopped.empty());
    port.on_closed(kConn, {Errc::closed, "gone"});
    door.stop_reading(kConn);
    EXPECT_TRUE(net.stopped.empty());
}

TEST_F(BoltDoorTest, TalksThroughTheRecordedConversations) {
    const auto streams = golden::read_streams(golden::folder(MUSTER_SOURCE_ROOT));
    ASSERT_TRUE(streams.has_value());
    std::uint64_t next = 100;
    for (const golden::Stream& stream : *streams) {
        if (stream.name.find("c2s") == std::string::npos) {
            continue;
        }
        const env::ConnId conn(next++);
        port.on_accepted(conn, {"10.0.0.9", 5000});
        std::size_t requests = 0;
        bolt::FrameReader reader{{}};
        reader.feed(stream.bytes);
        for (auto decoded = reader.next(); decoded.outcome == bolt::Decode::message;
             decoded = reader.next()) {
            requests += decoded.frame.head.type == bolt::FrameType::request ? 1 : 0;
        }
        for (const char byte : stream.bytes) {
            port.on_bytes(conn, {&byte, 1});
        }
        EXPECT_FALSE(net.closed.contains(conn)) << stream.name;
        const auto answers = take(conn);
        EXPECT_EQ(answers.size(), requests) << stream.name;
        for (const Sent& answer : answers) {
            EXPECT_TRUE(answer.head.is_response());
            EXPECT_EQ(answer.head.status, bolt::Status::success) << stream.name;
            if (answer.class_name == sofa::kRegisterResponse) {
                EXPECT_EQ(answer.field("success"), Value{true}) << stream.name;
            }
        }
    }
    EXPECT_GE(next, 105U);
    EXPECT_GT(session.all<msg::RegisterPublishers>().size(), 5U);
    EXPECT_GT(session.all<msg::Subscribe>().size(), 5U);
    for (const auto bad : {BoltBadRequest::unknown_class, BoltBadRequest::bad_content,
                           BoltBadRequest::bad_name, BoltBadRequest::bad_event_type}) {
        EXPECT_EQ(door.bad_requests(bad), 0U) << to_string(bad);
    }
}

}  // namespace
}  // namespace muster::doors
