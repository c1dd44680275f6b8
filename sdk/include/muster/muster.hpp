// The C++ face of muster.h: needs C++20 and nothing but the standard library. All rules of muster.h
// hold: any thread, nothing waits but what says so, callbacks run on the client's thread.
//
// Ownership in short: a Client is a handle that may be copied and dropped; the client itself lives
// until close() or the end of the process. A Registration may be dropped too: it stays registered.
// A Subscription and a Watch end with their object, because their callbacks refer to your objects;
// detach() lets them go on. A List and a Call hold what they show.
#ifndef MUSTER_MUSTER_HPP
#define MUSTER_MUSTER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <muster/muster.h>

namespace muster::sdk {

// What went wrong: a code to decide by and a sentence to show.
struct Error {
    muster_status status = MUSTER_OK;
    std::string message;

    // "not_found: no subscription of DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders"
    [[nodiscard]] std::string to_string() const {
        return std::string(muster_status_name(status)) + ": " + message;
    }
};

// A value or an Error. value() throws std::runtime_error when there is none; nothing else here
// throws anything of ours.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    [[nodiscard]] bool has_value() const {
        return content_.index() == 0;
    }
    explicit operator bool() const {
        return has_value();
    }
    [[nodiscard]] T& value() & {
        check();
        return std::get<0>(content_);
    }
    [[nodiscard]] T value() && {
        check();
        return std::get<0>(std::move(content_));
    }
    // Requires: has_value().
    T& operator*() {
        return std::get<0>(content_);
    }
    T* operator->() {
        return &std::get<0>(content_);
    }
    // Requires: !has_value().
    [[nodiscard]] const Error& error() const {
        return std::get<1>(content_);
    }

private:
    void check() const {
        if (!has_value()) {
            throw std::runtime_error(error().to_string());
        }
    }

    std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT

    [[nodiscard]] bool has_value() const {
        return !error_.has_value();
    }
    explicit operator bool() const {
        return has_value();
    }
    void value() const {
        if (error_) {
            throw std::runtime_error(error_->to_string());
        }
    }
    // Requires: !has_value().
    [[nodiscard]] const Error& error() const {
        return *error_;
    }

private:
    std::optional<Error> error_;
};

using Milliseconds = std::chrono::milliseconds;

namespace detail {

inline Error last_error(muster_status status) {
    return Error{status, muster_error_message()};
}
inline Result<void> outcome(muster_status status) {
    return status == MUSTER_OK ? Result<void>() : Result<void>(last_error(status));
}
inline std::uint32_t count(Milliseconds time) {
    const auto ms = time.count();
    return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(ms);
}
inline const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}
// Frees a std::function that was given to C as a context.
template <typename Function>
void free_function(void* context) {
    delete static_cast<Function*>(context);
}

}  // namespace detail

// ---- what is shown

// One endpoint of a list. Views are valid as long as a List or Call holds them.
struct Endpoint {
    std::string_view id;
    std::string_view box;
    std::string_view scheme;
    std::string_view ip;
    std::uint16_t port = 0;
    std::uint32_t weight = 0;
    bool enabled = false;
    bool healthy = false;
    std::string_view zone;
    std::string_view app;
    std::string_view client_address;
    std::int64_t ramp_since_unix_ms = 0;  // as in muster_endpoint
    std::uint32_t ramp_ms = 0;

    // "10.0.0.7:8080", "[::1]:8080"; empty when the box is no endpoint.
    [[nodiscard]] std::string address() const {
        if (port == 0) {
            return {};
        }
        const bool is_v6 = ip.find(':') != std::string_view::npos;
        return (is_v6 ? "[" + std::string(ip) + "]" : std::string(ip)) + ":" + std::to_string(port);
    }
};

namespace detail {

inline Endpoint endpoint_of(const muster_endpoint& raw) {
    return {.id = raw.id,
            .box = {raw.box, raw.box_size},
            .scheme = raw.scheme,
            .ip = raw.ip,
            .port = raw.port,
            .weight = raw.weight,
            .enabled = raw.enabled != 0,
            .healthy = raw.healthy != 0,
            .zone = raw.zone,
            .app = raw.app,
            .client_address = raw.client_address,
            .ramp_since_unix_ms = raw.ramp_since_unix_ms,
            .ramp_ms = raw.ramp_ms};
}

}  // namespace detail

// A list as it was at one version; cheap to copy.
class List {
public:
    // One more holder of `raw`.
    explicit List(const muster_list* raw) : raw_(muster_list_retain(raw), muster_list_release) {
        muster_list_info_init(&info_);
        muster_list_describe(raw, &info_);
    }

    [[nodiscard]] std::size_t size() const {
        return info_.count;
    }
    [[nodiscard]] bool empty() const {
        return info_.count == 0;
    }
    // Requires: index < size().
    [[nodiscard]] Endpoint operator[](std::size_t index) const {
        muster_endpoint raw;
        muster_endpoint_init(&raw);
        return muster_list_at(raw_.get(), index, &raw) == MUSTER_OK ? detail::endpoint_of(raw)
                                                                    : Endpoint{};
    }
    [[nodiscard]] std::vector<Endpoint> endpoints() const {
        std::vector<Endpoint> all;
        all.reserve(size());
        for (std::size_t i = 0; i < size(); ++i) {
            all.push_back((*this)[i]);
        }
        return all;
    }
    // Empty when there is no such key.
    [[nodiscard]] std::string_view metadata(std::size_t index, const std::string& key) const {
        const char* value = muster_list_metadata(raw_.get(), index, key.c_str());
        return value != nullptr ? std::string_view(value) : std::string_view();
    }
    [[nodiscard]] std::string_view service() const {
        return info_.service;
    }
    [[nodiscard]] std::uint64_t version() const {
        return info_.version;
    }
    [[nodiscard]] bool complete() const {
        return info_.complete != 0;
    }
    // From the cache and not confirmed by a server yet; see age().
    [[nodiscard]] bool stale() const {
        return info_.stale != 0;
    }
    // Since a server said or confirmed it, at the time this object was made.
    [[nodiscard]] Milliseconds age() const {
        return Milliseconds(info_.age_ms);
    }
    // When the bytes arrived here; compares with muster_now_ns().
    [[nodiscard]] std::uint64_t received_ns() const {
        return info_.received_ns;
    }
    [[nodiscard]] const muster_list* raw() const {
        return raw_.get();
    }

private:
    std::shared_ptr<const muster_list> raw_;
    muster_list_info info_{};
};

// A call to a picked endpoint, under way until the object goes.
class Call {
public:
    explicit Call(muster_call* raw) : raw_(raw, muster_call_end) {
        muster_endpoint endpoint;
        muster_endpoint_init(&endpoint);
        if (muster_call_endpoint(raw, &endpoint) == MUSTER_OK) {
            endpoint_ = detail::endpoint_of(endpoint);
        }
    }
    [[nodiscard]] const Endpoint& operator*() const {
        return endpoint_;
    }
    [[nodiscard]] const Endpoint* operator->() const {
        return &endpoint_;
    }
    // Empty when there is no such key.
    [[nodiscard]] std::string_view metadata(const std::string& key) const {
        std::size_t index = 0;
        const muster_list* list = muster_call_list(raw_.get(), &index);
        const char* value = muster_list_metadata(list, index, key.c_str());
        return value != nullptr ? std::string_view(value) : std::string_view();
    }

private:
    std::unique_ptr<muster_call, void (*)(muster_call*)> raw_;
    Endpoint endpoint_;
};

// ---- what is asked for

struct Options {
    std::string servers;                       // empty: see muster_options
    std::string zone;                          // empty: the services file or DEFAULT_ZONE
    std::string app;                           // empty: none
    std::string cache_folder;                  // empty: not kept on disk
    std::optional<std::string> services_file;  // none: MUSTER_SERVICES_FILE; "": none
    Milliseconds connect_timeout{3000};
    Milliseconds request_timeout{3000};
    Milliseconds heartbeat_interval{5000};
    Milliseconds retry_max{5000};
    Milliseconds poll_interval{30'000};
    Milliseconds cache_wait{500};
    muster_log_level log_level = MUSTER_LOG_INFO;
    // Stays in use until the process ends. Must not call the client.
    std::function<void(muster_log_level, std::string_view event, std::string_view text)> log;
};

// An endpoint, or raw boxes.
struct EndpointSpec {
    std::string service;
    std::string ip;
    std::uint16_t port = 0;
    std::uint32_t weight = 100;
    bool enabled = true;
    bool healthy = true;
    std::string zone;  // empty: the client's
    std::string app;   // empty: the client's
    std::vector<std::pair<std::string, std::string>> metadata;
    std::vector<std::string> boxes;  // instead of ip and port
    // The registry's answer to each state of it.
    std::function<void(const Result<void>&)> on_registered;
};

struct PickOptions {
    muster_policy policy = MUSTER_WEIGHTED_RANDOM;
    std::string_view key;  // MUSTER_CONSISTENT_HASH
    bool any_zone = false;
};

using ListFunction = std::function<void(const List&)>;

struct SubscriptionSpec {
    std::string service;
    muster_scope scope = MUSTER_SCOPE_DATA_CENTER;
    std::string zone;      // empty: the client's
    ListFunction on_list;  // none: not told
};

// Value of a configuration key; none is set when empty.
using ConfigFunction =
    std::function<void(std::optional<std::string_view> value, std::uint64_t version)>;

namespace detail {

using Handle = std::shared_ptr<muster_client>;

// A C spec that borrows from an EndpointSpec.
class BorrowedSpec {
public:
    explicit BorrowedSpec(const EndpointSpec& spec) {
        muster_endpoint_spec_init(&raw_);
        for (const auto& [key, value] : spec.metadata) {
            pairs_.push_back({key.c_str(), value.c_str()});
        }
        for (const auto& box : spec.boxes) {
            boxes_.push_back(box.c_str());
        }
        raw_.service = spec.service.c_str();
        raw_.ip = or_null(spec.ip);
        raw_.port = spec.port;
        raw_.weight = spec.weight;
        raw_.enabled = spec.enabled ? 1 : 0;
        raw_.healthy = spec.healthy ? 1 : 0;
        raw_.zone = or_null(spec.zone);
        raw_.app = or_null(spec.app);
        raw_.metadata = pairs_.data();
        raw_.metadata_count = pairs_.size();
        raw_.boxes = boxes_.data();
        raw_.boxes_count = boxes_.size();
    }
    BorrowedSpec(const BorrowedSpec&) = delete;
    BorrowedSpec& operator=(const BorrowedSpec&) = delete;

    [[nodiscard]] muster_endpoint_spec* raw() {
        return &raw_;
    }

private:
    muster_endpoint_spec raw_{};
    std::vector<muster_pair> pairs_;
    std::vector<const char*> boxes_;
};

}  // namespace detail

// A registration. Dropping it unregisters nothing.
class Registration {
public:
    Registration() = default;
    Registration(detail::Handle client, muster_registration number)
        : client_(std::move(client)), number_(number) {}

    // The service stays. `on_registered` of `spec` is not looked at.
    Result<void> update(const EndpointSpec& spec) const {
        detail::BorrowedSpec borrowed(spec);
        return detail::outcome(muster_update(client_.get(), number_, borrowed.raw()));
    }
    Result<void> unregister() const {
        return detail::outcome(muster_unregister(client_.get(), number_));
    }
    // Waits for the registry's answer to the newest state and returns it.
    Result<void> await(Milliseconds timeout) const {
        return detail::outcome(
            muster_await_registered(client_.get(), number_, detail::count(timeout)));
    }
    [[nodiscard]] muster_registration number() const {
        return number_;
    }

private:
    detail::Handle client_;
    muster_registration number_ = 0;
};

// A subscription; ends with the object.
class Subscription {
public:
    Subscription() = default;
    Subscription(detail::Handle client, muster_subscription number)
        : client_(std::move(client)), number_(number) {}
    Subscription(Subscription&& other) noexcept
        : client_(std::move(other.client_)), number_(std::exchange(other.number_, 0)) {}
    Subscription& operator=(Subscription&& other) noexcept {
        if (this != &other) {
            unsubscribe();
            client_ = std::move(other.client_);
            number_ = std::exchange(other.number_, 0);
        }
        return *this;
    }
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription() {
        unsubscribe();
    }

    // Errors: NOT_READY while nothing is known.
    [[nodiscard]] Result<List> current() const {
        const muster_list* raw = nullptr;
        const muster_status status = muster_current_list(client_.get(), number_, &raw);
        return list_of(status, raw);
    }
    // Waits for the first list.
    [[nodiscard]] Result<List> await(Milliseconds timeout) const {
        const muster_list* raw = nullptr;
        const muster_status status =
            muster_await_list(client_.get(), number_, detail::count(timeout), &raw);
        return list_of(status, raw);
    }
    [[nodiscard]] Result<Call> pick(const PickOptions& options = {}) const {
        muster_pick_options raw;
        muster_pick_options_init(&raw);
        raw.policy = options.policy;
        raw.key = options.key.data();
        raw.key_size = options.key.size();
        raw.any_zone = options.any_zone ? 1 : 0;
        muster_call* call = nullptr;
        const muster_status status = muster_pick(client_.get(), number_, &raw, &call);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        return Call(call);
    }
    // No callback runs when it returned, unless it was called from within it.
    void unsubscribe() {
        if (number_ != 0) {
            static_cast<void>(muster_unsubscribe(client_.get(), std::exchange(number_, 0)));
        }
    }
    // The subscription goes on until the client is closed.
    muster_subscription detach() {
        return std::exchange(number_, 0);
    }
    [[nodiscard]] muster_subscription number() const {
        return number_;
    }

private:
    static Result<List> list_of(muster_status status, const muster_list* raw) {
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        List list(raw);
        muster_list_release(raw);
        return list;
    }

    detail::Handle client_;
    muster_subscription number_ = 0;
};

// A watch of a configuration value; ends with the object.
class Watch {
public:
    Watch() = default;
    Watch(detail::Handle client, muster_watch number)
        : client_(std::move(client)), number_(number) {}
    Watch(Watch&& other) noexcept
        : client_(std::move(other.client_)), number_(std::exchange(other.number_, 0)) {}
    Watch& operator=(Watch&& other) noexcept {
        if (this != &other) {
            unwatch();
            client_ = std::move(other.client_);
            number_ = std::exchange(other.number_, 0);
        }
        return *this;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
        unwatch();
    }
    void unwatch() {
        if (number_ != 0) {
            static_cast<void>(muster_unwatch_config(client_.get(), std::exchange(number_, 0)));
        }
    }

private:
    detail::Handle client_;
    muster_watch number_ = 0;
};

// A handle of one client: copies mean the same client, and dropping all of them does not close it.
class Client {
public:
    // Returns at once; see muster_client_open().
    static Result<Client> open(const Options& options = {}) {
        muster_options raw;
        muster_options_init(&raw);
        raw.servers = detail::or_null(options.servers);
        raw.zone = detail::or_null(options.zone);
        raw.app = detail::or_null(options.app);
        raw.cache_folder = detail::or_null(options.cache_folder);
        raw.services_file = options.services_file ? options.services_file->c_str() : nullptr;
        raw.connect_timeout_ms = detail::count(options.connect_timeout);
        raw.request_timeout_ms = detail::count(options.request_timeout);
        raw.heartbeat_interval_ms = detail::count(options.heartbeat_interval);
        raw.retry_max_ms = detail::count(options.retry_max);
        raw.poll_interval_ms = detail::count(options.poll_interval);
        raw.cache_wait_ms = detail::count(options.cache_wait);
        raw.log_level = options.log_level;
        if (options.log) {
            raw.log_context = keep(options.log);
            raw.log = [](void* context, muster_log_level level, const char* event,
                         const char* text) {
                (*static_cast<LogFunction*>(context))(level, event, text);
            };
        }
        muster_client* client = nullptr;
        const muster_status status = muster_client_open(&raw, &client);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        return Client(detail::Handle(client, muster_client_release));
    }

    // See muster_client_close(). Zero: 40 ms.
    Result<void> close(Milliseconds timeout = Milliseconds{0}) const {
        return detail::outcome(muster_client_close(client_.get(), detail::count(timeout)));
    }
    Result<void> await_connected(Milliseconds timeout) const {
        return detail::outcome(
            muster_client_await_connected(client_.get(), detail::count(timeout)));
    }
    [[nodiscard]] Result<muster_stats> stats() const {
        muster_stats stats;
        muster_stats_init(&stats);
        const muster_status status = muster_client_stats(client_.get(), &stats);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        return stats;
    }

    // Takes the instances of `service` at `address` ("ip:port") out of all lists and waits until
    // they are; see muster_drain(). Errors: TIMEOUT, whose message names who has not acknowledged.
    Result<muster_drain_report> drain(const std::string& service, const std::string& address,
                                      Milliseconds timeout) const {
        return marked(muster_drain, service, address, timeout);
    }
    // Shows them again, with a weight that grows to all of it within `ramp`.
    Result<muster_drain_report> restore(const std::string& service, const std::string& address,
                                        Milliseconds ramp) const {
        return marked(muster_restore, service, address, ramp);
    }

    Result<Registration> register_endpoint(const EndpointSpec& spec) const {
        using Function = std::function<void(const Result<void>&)>;
        detail::BorrowedSpec borrowed(spec);
        std::unique_ptr<Function> function;
        if (spec.on_registered) {
            function = std::make_unique<Function>(spec.on_registered);
            borrowed.raw()->context = function.get();
            borrowed.raw()->free_context = detail::free_function<Function>;
            borrowed.raw()->on_registered = [](void* context, muster_registration /*number*/,
                                               muster_status status, const char* message) {
                (*static_cast<Function*>(context))(
                    status == MUSTER_OK ? Result<void>() : Result<void>(Error{status, message}));
            };
        }
        muster_registration number = 0;
        const muster_status status = muster_register(client_.get(), borrowed.raw(), &number);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        static_cast<void>(function.release());
        return Registration(client_, number);
    }

    Result<Subscription> subscribe(const SubscriptionSpec& spec) const {
        muster_subscription_spec raw;
        muster_subscription_spec_init(&raw);
        raw.service = spec.service.c_str();
        raw.scope = spec.scope;
        raw.zone = detail::or_null(spec.zone);
        std::unique_ptr<ListFunction> function;
        if (spec.on_list) {
            function = std::make_unique<ListFunction>(spec.on_list);
            raw.context = function.get();
            raw.free_context = detail::free_function<ListFunction>;
            raw.on_list = [](void* context, const muster_list* list) {
                (*static_cast<ListFunction*>(context))(List(list));
            };
        }
        muster_subscription number = 0;
        const muster_status status = muster_subscribe(client_.get(), &raw, &number);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        static_cast<void>(function.release());
        return Subscription(client_, number);
    }

    // The first list as a future; the promise is broken when the client is closed before.
    struct FirstList {
        Subscription subscription;
        std::future<List> first;
    };
    Result<FirstList> subscribe_future(SubscriptionSpec spec) const {
        auto promise = std::make_shared<std::optional<std::promise<List>>>(std::in_place);
        std::future<List> first = (*promise)->get_future();
        spec.on_list = [promise, then = std::move(spec.on_list)](const List& list) {
            if (*promise) {
                (*promise)->set_value(list);
                promise->reset();
            }
            if (then) {
                then(list);
            }
        };
        auto subscription = subscribe(spec);
        if (!subscription) {
            return subscription.error();
        }
        return FirstList{std::move(*subscription), std::move(first)};
    }

    // A subscription of the services file; the object does not end it when it goes if detach()ed.
    [[nodiscard]] Result<Subscription> find_subscription(const std::string& service) const {
        muster_subscription number = 0;
        const muster_status status =
            muster_find_subscription(client_.get(), service.c_str(), &number);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        return Subscription(client_, number);
    }

    Result<Watch> watch_config(const std::string& key, const ConfigFunction& on_config) const {
        auto function = std::make_unique<ConfigFunction>(on_config);
        muster_watch number = 0;
        const muster_status status = muster_watch_config(
            client_.get(), key.c_str(),
            [](void* context, const char* /*key*/, const char* value, std::size_t size,
               std::uint64_t version) {
                (*static_cast<ConfigFunction*>(context))(
                    value != nullptr ? std::optional(std::string_view(value, size)) : std::nullopt,
                    version);
            },
            function.get(), detail::free_function<ConfigFunction>, &number);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        static_cast<void>(function.release());
        return Watch(client_, number);
    }

    [[nodiscard]] muster_client* raw() const {
        return client_.get();
    }

private:
    using MarkFunction = muster_status (*)(muster_client*, const char*, const char*, std::uint32_t,
                                           muster_drain_report*);
    Result<muster_drain_report> marked(MarkFunction function, const std::string& service,
                                       const std::string& address, Milliseconds time) const {
        muster_drain_report report;
        muster_drain_report_init(&report);
        const muster_status status =
            function(client_.get(), service.c_str(), address.c_str(), detail::count(time), &report);
        if (status != MUSTER_OK) {
            return detail::last_error(status);
        }
        return report;
    }
    using LogFunction = std::function<void(muster_log_level, std::string_view, std::string_view)>;

    explicit Client(detail::Handle client) : client_(std::move(client)) {}

    // For as long as a client may log: to the end of the process.
    static LogFunction* keep(LogFunction function) {
        struct Kept {
            std::mutex mutex;
            std::vector<std::unique_ptr<LogFunction>> functions;
        };
        static Kept* const kept = new Kept;
        const std::lock_guard hold(kept->mutex);
        return kept->functions.emplace_back(std::make_unique<LogFunction>(std::move(function)))
            .get();
    }

    detail::Handle client_;
};

}  // namespace muster::sdk

#endif
