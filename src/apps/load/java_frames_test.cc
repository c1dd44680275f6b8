#include "apps/load/java_frames.h"

#include <gtest/gtest.h>

#include "wire/bolt/frame_decoder.h"
#include "wire/golden/golden_vectors.h"
#include "wire/hessian/reader.h"

namespace muster::load {
namespace {

const Service kService{.tenant = "t", .group = "g", .data_id = "d"};

// A frame of an unmodified client or server in Java.
class Java {
public:
    explicit Java(const std::string& name) {
        auto read = golden::read_vector(golden::folder(MUSTER_SOURCE_ROOT), name);
        EXPECT_TRUE(read.has_value()) << name;
        vector_ = std::move(*read);
        const auto decoded = bolt::decode_frame(vector_.bytes, {});
        EXPECT_EQ(decoded.outcome, bolt::Decode::message);
        frame = decoded.frame;
    }
    bolt::Frame frame;

private:
    golden::Vector vector_;
};

hessian::Object object_in(std::string_view content) {
    auto read = hessian::read_value(content);
    EXPECT_TRUE(read.has_value());
    const auto* object = read->value.get<hessian::Object>();
    EXPECT_NE(object, nullptr);
    return *object;
}

std::string text(const hessian::Object& object, std::string_view field) {
    const hessian::Value* value = object.find(field);
    const auto* said = value == nullptr ? nullptr : value->get<hessian::Text>();
    return said == nullptr ? "(none)" : hessian::to_utf8(*said);
}

TEST(JavaFrames, RegisterAsTheJavaClientDoes) {
    const std::string bytes =
        java_publisher({.service = kService,
                        .id = "id-1",
                        .order = {.version = 3, .timestamp_ms = 1'700'000'000'123},
                        .request = 9},
                       {"box-1", "box-2"});
    const auto ours = bolt::decode_frame(bytes, {});
    ASSERT_EQ(ours.outcome, bolt::Decode::message);
    const Java theirs("v542-pub-register-basic");
    EXPECT_EQ(ours.frame.class_name, theirs.frame.class_name);
    EXPECT_EQ(ours.frame.head.codec, theirs.frame.head.codec);
    EXPECT_EQ(ours.frame.head.timeout_ms, theirs.frame.head.timeout_ms);
    EXPECT_EQ(ours.frame.head.request_id, 9);
    const hessian::Object object = object_in(ours.frame.content);
    EXPECT_EQ(*object.shape, *object_in(theirs.frame.content).shape);
    EXPECT_EQ(text(object, "dataId"), "d");
    EXPECT_EQ(text(object, "group"), "g");
    EXPECT_EQ(text(object, "instanceId"), "t");
    EXPECT_EQ(text(object, "registId"), "id-1");
    EXPECT_EQ(text(object, "eventType"), "REGISTER");
    EXPECT_EQ(object.find("dataList")->get<hessian::List>()->items.size(), 2U);
}

TEST(JavaFrames, LeaveAndSubscribeAsTheJavaClientDoes) {
    const JavaState leaves{
        .service = kService, .id = "id-1", .order = {.version = 4}, .leaves = true};
    const std::string left = java_publisher(leaves, {});
    const hessian::Object gone = object_in(bolt::decode_frame(left, {}).frame.content);
    EXPECT_EQ(*gone.shape, *object_in(Java("v542-pub-unregister").frame.content).shape);
    EXPECT_EQ(text(gone, "eventType"), "UNREGISTER");
    EXPECT_NE(gone.find("dataList")->get<hessian::Null>(), nullptr);

    const std::string wish = java_subscriber(
        {.service = kService, .id = "id-2", .order = {.version = 1}}, Scope::data_center);
    const auto ours = bolt::decode_frame(wish, {});
    EXPECT_EQ(*object_in(ours.frame.content).shape,
              *object_in(Java("v542-sub-register-dataCenter").frame.content).shape);
    EXPECT_EQ(text(object_in(ours.frame.content), "scope"), "dataCenter");
}

TEST(JavaFrames, ReadPushesAndAnswersOfTheJavaServer) {
    const Java push("v542-push-data-basic");
    ASSERT_TRUE(is_java_push(push.frame));
    const auto told = java_push(push.frame);
    ASSERT_TRUE(told.has_value()) << to_string(told.error());
    EXPECT_EQ(told->service.data_id, "com.alipay.test.Svc:1.0@DEFAULT");
    EXPECT_EQ(told->service.group, "SOFA");
    EXPECT_EQ(told->scope, Scope::data_center);
    EXPECT_EQ(told->version, Version(1'600'000'000'456));
    EXPECT_EQ(told->boxes, (std::vector<std::string>{"192.168.1.1:12200", "192.168.1.2:12200"}));
    const auto nobody = java_push(Java("v542-push-data-empty").frame);
    ASSERT_TRUE(nobody.has_value());
    EXPECT_TRUE(nobody->boxes.empty());

    const std::string ack = java_ack(push.frame);
    const auto ours = bolt::decode_frame(ack, {});
    EXPECT_TRUE(ours.frame.head.is_response());
    EXPECT_EQ(ours.frame.head.request_id, push.frame.head.request_id);
    EXPECT_EQ(ours.frame.content, Java("v542-push-ack-ok").frame.content);

    EXPECT_TRUE(java_answer(Java("v542-register-response-ok").frame).has_value());
    EXPECT_EQ(java_answer(Java("v663-register-response-failed").frame).error().code, Errc::refused);
}

TEST(JavaFrames, RefuseWhatIsNone) {
    bolt::Frame frame;
    frame.content = "x";
    EXPECT_EQ(java_push(frame).error().code, Errc::bad_content);
    frame.head.status = bolt::Status::success;
    EXPECT_FALSE(java_answer(frame).has_value());
    EXPECT_EQ(java_answer(Java("v542-error-response-timeout").frame).error().code, Errc::refused);
}

}  // namespace
}  // namespace muster::load
